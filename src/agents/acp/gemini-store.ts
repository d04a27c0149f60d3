/**
 * Gemini's files of a session, kept from gemini itself. With 0.61.0, `session/load` first begins a file for the session that it is
 * about to load, named by the minute and the id. If that is the name of the history, it is emptied. If not, a second file is left
 * over, without a message; the next start of any gemini in the project finds it damaged, and removes all files with that id.
 */
import { existsSync, readdirSync, readFileSync, renameSync, unlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Json, object, objects, parseObject, string } from '../json.js'
import type { Env } from './profile.js'

const NAME = /^session-(\d{4}-\d\d-\d\dT\d\d-\d\d)-(\w{8})\.jsonl$/
/** What gemini itself says first; it is no message of anybody's. */
const CONTEXT = '<session_context>'

interface File {
  readonly path: string
  readonly hasMessages: boolean
}

/**
 * Before a session is loaded: moves its history away from the name that the load would use. And then, as after the load: removes
 * what was left over beside the history.
 */
export function mendHistory(nativeId: string, env: Env, now = new Date()): void {
  for (const directory of chatsIn(join(env.GEMINI_CLI_HOME ?? env.HOME ?? homedir(), '.gemini', 'tmp'))) {
    const files = filesOf(directory, nativeId)
    if (!files.some(({ hasMessages }) => hasMessages)) continue
    for (const { path, hasMessages } of files) {
      if (hasMessages) moveAway(path, now)
      else unlinkSync(path)
    }
  }
}

function chatsIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .map((project) => join(directory, project, 'chats'))
    .filter((chats) => existsSync(chats))
}

function filesOf(directory: string, nativeId: string): File[] {
  return readdirSync(directory)
    .filter((name) => NAME.exec(name)?.[2] === nativeId.slice(0, 8))
    .map((name) => ({ path: join(directory, name), records: recordsOf(join(directory, name)) }))
    .filter(({ records }) => records[0]?.sessionId === nativeId)
    .map(({ path, records }) => ({ path, hasMessages: messagesOf(records).length > 0 }))
}

const recordsOf = (path: string): Json[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map(parseObject)
    .filter((record) => record !== undefined)

function messagesOf(records: readonly Json[]): Json[] {
  const all = records.flatMap((record) => [record, ...objects(object(record.$set).messages)])
  return all.filter(({ type, content }) => type === 'gemini' || (type === 'user' && !isContext(content)))
}

function isContext(content: unknown): boolean {
  const text =
    string(content) ??
    objects(content)
      .map((part) => string(part.text) ?? '')
      .join('')
  return text.startsWith(CONTEXT)
}

const minuteOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replaceAll(':', '-')

/** A name of this minute becomes one of an earlier minute. */
function moveAway(path: string, now: Date): void {
  const minute = minuteOf(now.getTime())
  if (!path.includes(`session-${minute}-`)) return
  let earlier = now.getTime()
  let free = path
  while (existsSync(free)) {
    earlier -= 60_000
    free = path.replace(minute, minuteOf(earlier))
  }
  renameSync(path, free)
}
