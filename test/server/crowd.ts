/** Clients of a server that is being replaced: at each door one connection a request, a reader who goes on by offset, and a writer. */
import { appendFileSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { Test } from 'tap'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { until } from '../helpers/home.js'
import { line, newSession, SseClient, sleep } from './helpers.js'

/** @param door how node:http gets there. @returns the status */
export const ask = (door: object, path = '/healthz'): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request({ ...door, path, agent: false, timeout: 60_000 }, (response) => {
      response
        .resume()
        .once('end', () => resolve(response.statusCode ?? 0))
        .once('error', reject)
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer in 60 s'))).once('error', reject)
    asked.end()
  })

interface Place {
  readonly home: Home
  readonly socketPath: string
  readonly doors: readonly object[]
  /** Milliseconds between two requests at a door, which leave a processor to a server that starts. */
  readonly rest?: number
}

/** Resolves when each door has answered so many more. */
type Served = (more: number, what: string) => Promise<void>

/** Nobody is refused while `work` goes on, and who follows gets each line once, in order. */
export async function underLoad(
  t: Test,
  { home, socketPath, doors, rest = 0 }: Place,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  const { sessionId } = await newSession(home)
  const log = sessionLog(home, sessionId)
  let isOver = false
  const counts = doors.map(() => 0)
  const hammer = async (door: object, at: number) => {
    while (!isOver) {
      t.equal(await ask(door), 200)
      counts[at]!++
      if (rest > 0) await sleep(rest)
    }
  }
  const seen: string[] = []
  const follow = async () => {
    let last = '0'
    while (!isOver || last !== String(readFileSync(log).length)) {
      const client = new SseClient(socketPath, `/v1/sessions/${sessionId}/events`, { 'last-event-id': last })
      await client.until(() => client.ended || (isOver && client.lastId === String(readFileSync(log).length)))
      client.close()
      seen.push(...client.events.map(({ data }) => data))
      last = client.lastId || last
    }
  }
  const write = async () => {
    for (let n = 1; !isOver; n++) {
      appendFileSync(log, `${line(n)}\n`)
      await sleep(10)
    }
  }
  const served: Served = async (more, what) => {
    const least = counts.map((count) => count + more)
    await until(() => counts.every((count, at) => count > least[at]!), what)
  }
  const all = Promise.all([...doors.map(hammer), follow(), write()])
  // Told below, unless the work fails first.
  all.catch(() => undefined)
  try {
    await work(served)
    await served(5, 'they are served by the last one')
  } finally {
    // However it ends, nobody goes on.
    isOver = true
  }
  await all
  t.strictSame(seen, readFileSync(log, 'utf8').split('\n').filter(Boolean), 'each line once, in order')
}
