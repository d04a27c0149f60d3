/** Uses a tool as the agent does, without asking anybody. */
import { realpathSync } from 'node:fs'
import type { Test } from 'tap'
import { Place } from '../../../src/agents/chat/tools/place.js'
import type { ToolResult } from '../../../src/agents/chat/tools/tool.js'
import { tools } from '../../../src/agents/chat/tools/tools.js'
import { tempDir } from '../../helpers/home.js'

export interface Workshop {
  readonly cwd: string
  readonly place: Place
  use(tool: string, input: unknown, signal?: AbortSignal): Promise<ToolResult>
}

export function workshop(t: Test): Workshop {
  const cwd = realpathSync(tempDir(t))
  const place = new Place(cwd)
  return {
    cwd,
    place,
    async use(name, input, signal = new AbortController().signal) {
      const tool = tools.get(name)
      if (tool === undefined) throw new Error(`there is no tool ${name}`)
      return tool.call(input, place).run({ cwd, env: { PATH: process.env.PATH ?? '' }, signal })
    },
  }
}
