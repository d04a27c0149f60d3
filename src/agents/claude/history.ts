/** Claude's own history of a session: a file of JSON lines, each message with the uuid that it was given. */
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { object, objects, parseObject } from '../json.js'

export interface Where {
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
  readonly nativeId: string
}

/**
 * Whether the history holds the message. It is written a tenth of a second behind the output, so that a message which claude had
 * acted on may be missing from it after a kill: what is there is certain, what is not there is not.
 * @param content where it is known: several messages that waited together stand there as one, with the uuid of the last
 * @returns true, or undefined if it cannot be told
 */
export async function historyHolds(where: Where, uuid: string, content?: string): Promise<true | undefined> {
  const path = fileOf(where)
  if (path === undefined) return undefined
  const text = content === undefined ? undefined : JSON.stringify(content).slice(1, -1)
  const holds = (line: string): boolean => {
    if (line.includes(uuid)) {
      const { uuid: own, attachment } = parseObject(line) ?? {}
      // What came while a tool ran is attached to the tool's result.
      return own === uuid || object(attachment).source_uuid === uuid
    }
    if (text === undefined || !line.includes(text)) return false
    const { type, message } = parseObject(line) ?? {}
    const blocks = objects(object(message).content).filter((block) => block.type === 'text')
    return type === 'user' && blocks.length > 1 && blocks.some((block) => block.text === content)
  }
  return (await readFile(path, 'utf8')).split('\n').some(holds) ? true : undefined
}

function fileOf({ env, workingDir, nativeId }: Where): string | undefined {
  const projects = join(env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? homedir(), '.claude'), 'projects')
  const file = join(projects, workingDir.replace(/[^A-Za-z0-9]/g, '-'), `${nativeId}.jsonl`)
  if (existsSync(file)) return file
  if (!existsSync(projects)) return undefined
  // A long path is shortened by claude in a way of its own.
  return readdirSync(projects)
    .map((directory) => join(projects, directory, `${nativeId}.jsonl`))
    .find((path) => existsSync(path))
}
