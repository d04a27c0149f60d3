/** Verbs on several sessions at once, or on all that live: each for itself, so that one that fails keeps no other from its turn. */
import type { Argv } from 'yargs'
import { someAtOnce } from '../base/crowd.js'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { findSession } from '../session/find.js'
import { allLive } from '../supervisor/choice.js'
import { readFleet } from '../supervisor/fleet.js'
import { type Context, EXIT } from './context.js'
import { count, print, say } from './terminal.js'

export interface Many {
  id?: string[]
  all?: boolean
  json?: boolean
}

/** A session costs a process or two while it is asked. */
const AT_ONCE = 16

export const someOrAll = (yargs: Argv): Argv =>
  yargs
    .positional('id', { type: 'string', array: true, describe: 'Ids, unique prefixes, titles, or latest' })
    .option('all', { type: 'boolean', describe: 'All that live' })

/** The sessions that are meant. @throws USAGE */
export async function chosen({ home, supervisor }: Context, { id = [], all }: Many): Promise<string[]> {
  if (id.length > 0 === (all === true)) {
    throw new AgentzError('USAGE', 'say which sessions are meant: their ids, or --all', {
      hint: '`agentz ls` lists them.',
    })
  }
  if (!all) return id.map((text) => findSession(home, text))
  return allLive(await readFleet(home, supervisor))
}

/**
 * Does something with each, some at once, and tells of each as it is done, with a count at the end of many.
 * @returns the exit status: that of the first that failed
 */
export async function forEach<R extends { done: boolean }>(
  ids: readonly string[],
  { all, json }: Many,
  work: (id: string) => Promise<R>,
  told: (id: string, result: R) => string,
): Promise<number> {
  let status: number = EXIT.ok
  let done = 0
  const one = async (id: string) => {
    try {
      const result = await work(id)
      if (result.done) done++
      if (json) await print(`${JSON.stringify({ sessionId: id, ...result })}\n`)
      else say(told(id, result))
    } catch (thrown) {
      const error = toAgentzError(thrown)
      status ||= error.exit
      if (json)
        await print(
          `${JSON.stringify({ sessionId: id, done: false, error: { code: error.code, message: error.message } })}\n`,
        )
      say(`agentz: ${id}: ${error.message}\n${error.hint}`)
    }
  }
  await someAtOnce(ids, AT_ONCE, one)
  if (all) say(`${done} of ${count(ids.length, 'session')}`)
  return status
}
