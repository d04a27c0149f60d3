/** The tool that runs a command line. */
import { existsSync } from 'node:fs'
import * as z from 'zod/mini'
import { clip } from './output.js'
import { runProcess } from './process.js'
import { defineTool } from './tool.js'

const TITLE_LENGTH = 120
const shell = ['/bin/bash', '/usr/bin/bash'].find((path) => existsSync(path)) ?? '/bin/sh'

export const shellTool = defineTool({
  name: 'shell',
  kind: 'execute',
  changes: true,
  description:
    'Runs a command line with a shell, in the working directory, without a terminal and without input. Its output and its exit status come back when it has ended.',
  input: z.object({
    command: z.string().check(z.minLength(1)),
    timeout_seconds: z.optional(z.number().check(z.gt(0), z.lte(86_400))),
  }),
  call({ command, timeout_seconds: seconds }) {
    const [line = ''] = command.trim().split('\n')
    return {
      title: clip(line, TITLE_LENGTH),
      action: { kind: 'run', tool: 'shell', command },
      async run(run) {
        const limit = seconds === undefined ? undefined : seconds * 1000
        const { output, status, timedOut } = await runProcess([shell, '-c', command], run, limit)
        if (timedOut) return { text: `${output}\n[ended after ${seconds} s]`.trimStart(), failed: true }
        if (status !== 0) return { text: `${output}\n[exit status ${status}]`.trimStart(), failed: true }
        return { text: output === '' ? '[no output]' : output }
      },
    }
  },
})
