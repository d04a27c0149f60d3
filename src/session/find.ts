/** From what a person types to a session: an id, a unique prefix of one, a title, or `latest`. */
import { existsSync } from 'node:fs'
import { AgentzError } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { isId } from './id.js'
import type { Registry, Row } from './registry.js'
import { readComplete } from './repair.js'

/** A whole id whose file exists is not looked up: `logs ID` stays quick with any number of sessions. */
export function findSession(home: Home, text: string): string {
  if (isId(text) && existsSync(sessionLog(home, text))) return text
  return resolveSession(readComplete(home), text)
}

/** @throws NOT_FOUND; AMBIGUOUS with the candidates */
export function resolveSession(registry: Registry, text: string): string {
  const ids = [...registry.rows.ids()]
  const row = (id: string) => registry.rows.get(id)!
  if (text === 'latest') {
    const newest = ids.at(-1)
    if (newest !== undefined) return newest
    throw new AgentzError('NOT_FOUND', 'there is no session yet', { hint: 'Start one: agentz run "your prompt"' })
  }
  if (/^[0-9a-f]{1,12}$/.test(text)) {
    const found = ids.filter((id) => id.startsWith(text))
    if (found.length > 0) return only(found.map(row), text)
  }
  const titled = text === '' ? [] : ids.map(row).filter(({ title }) => title === text)
  if (titled.length > 0) return only(titled, text)
  throw new AgentzError(
    'NOT_FOUND',
    `there is no session with the id, prefix or title ${JSON.stringify(text.slice(0, 80))}`,
  )
}

function only(found: Row[], text: string): string {
  const [first] = found
  if (found.length === 1 && first !== undefined) return first.sessionId
  const list = found.slice(-5).map((row) => `${row.sessionId} (${row.status}) ${row.title}`)
  const more = found.length > list.length ? `\n  and ${found.length - list.length} more` : ''
  throw new AgentzError(
    'AMBIGUOUS',
    `${JSON.stringify(text)} fits ${found.length} sessions:\n  ${list.join('\n  ')}${more}`,
  )
}
