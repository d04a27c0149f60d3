/**
 * Which of the kernel's kills for want of memory are older than the daemon's end. It notes each rise of the counter in the file, and lives
 * on; what the reaper finds above the last note was the daemon itself.
 */
import { closeSync } from 'node:fs'
import { numberIn } from '../base/field.js'
import { oomCount } from '../base/oom.js'
import { type Home, sessionLog } from '../base/paths.js'
import { parseRecord } from '../log/line.js'
import { openIfThere, readRecords } from '../log/read.js'
import type { EventOf, Unframed } from '../session/events.js'

const LOOK_MS = 1_000

/** From now on each rise is noted, and one that was there already. @returns how to end that */
export function followKills(note: (event: Unframed<EventOf<'system'>>) => void): () => void {
  const look = () => {
    const oomKills = oomCount.look()
    if (oomKills === undefined) return
    const content = `memory has run out: the kernel has killed ${oomKills} of the processes in this unit so far`
    note({ type: 'system', content, oomKills })
  }
  look()
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** How many the daemon of this start has outlived; 0 if it has noted none. Looks through the whole file: a note may be old. */
export function notedKills(home: Home, id: string, epoch: number): number {
  const fd = openIfThere(sessionLog(home, id))
  if (fd === undefined) return 0
  let noted = 0
  try {
    readRecords(fd, {}, ({ bytes }) => {
      if (!bytes.includes('"oomKills":')) return
      const { type, epoch: its, oomKills } = parseRecord(bytes) ?? {}
      if (type === 'system' && its === epoch) noted = Math.max(noted, numberIn(oomKills) ?? 0)
    })
  } finally {
    closeSync(fd)
  }
  return noted
}
