/** A log as application/x-ndjson: the bytes of its records as they are on disk, up to where the log ended at the request. */
import { closeSync, fstatSync } from 'node:fs'
import { Readable } from 'node:stream'
import { PAGE, readPage, recordsOf } from './page.js'

/** @param fd an open log; the stream closes it, also if it is never read */
export function recordStream(fd: number, from: number): Readable {
  const to = fstatSync(fd).size
  let at = from
  return new Readable({
    highWaterMark: PAGE,
    read() {
      // One page a turn of the event loop: a long log on a quick connection holds up nobody else.
      setImmediate(() => {
        if (this.destroyed) return
        try {
          this.push(next())
        } catch (error) {
          this.destroy(error as Error)
        }
      })
    },
    destroy(error, done) {
      closeSync(fd)
      done(error)
    },
  })

  function next(): Buffer | null {
    for (;;) {
      const page = readPage(fd, at, to)
      if (page === undefined) return null
      at = page.to
      const records = recordsOf(page)
      if (records.length > 0) return records
    }
  }
}
