/** Cursors: numbers that go up with time, so that no cache between us and a client answers it with the same nothing for ever. */

const EPOCH = Date.UTC(2024, 9, 9)
const INTERVAL_MS = 20_000
/** The most that a cursor is put forward by, in seconds. */
const JITTER = 3600

/** @param known what the client was given last: it gets a higher one */
export function cursorAfter(known: number | undefined, now = Date.now()): number {
  const current = Math.floor((now - EPOCH) / INTERVAL_MS)
  if (known === undefined || known < current) return current
  return known + Math.max(1, Math.ceil((Math.random() * JITTER * 1000) / INTERVAL_MS))
}
