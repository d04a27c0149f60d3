/** Claude's own history of a session: a file of JSON lines, each message with the uuid that it was given. */
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseObject } from '../json.js'

/**
 * Whether the history holds the message. It is written behind the output, so that a message which claude had acted on may be
 * missing from it after a kill: what is there is certain, what is not there is not. @returns true, or undefined if it cannot be told
 */
export async function historyHolds(
  env: Readonly<Record<string, string>>,
  workingDir: string,
  nativeId: string,
  uuid: string,
): Promise<boolean | undefined> {
  const projects = join(env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? homedir(), '.claude'), 'projects')
  const file = join(projects, workingDir.replace(/[^A-Za-z0-9]/g, '-'), `${nativeId}.jsonl`)
  const path = existsSync(file) ? file : elsewhere(projects, `${nativeId}.jsonl`)
  if (path === undefined) return undefined
  const lines = (await readFile(path, 'utf8')).split('\n')
  const found = lines.some((line) => line.includes(uuid) && parseObject(line)?.uuid === uuid)
  return found ? true : undefined
}

/** A long path is shortened by claude in a way of its own. */
function elsewhere(projects: string, name: string): string | undefined {
  if (!existsSync(projects)) return undefined
  return readdirSync(projects)
    .map((directory) => join(projects, directory, name))
    .find((path) => existsSync(path))
}
