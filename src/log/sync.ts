/**
 * Puts files on the disk in threads of libuv. What one turn of the event loop has to sync is handed over together, at its end: one by one,
 * each would wake a thread that has just gone to sleep, which costs the loop several times as much as to hand over (16 writers on 16
 * streams were slower by a twentieth on an idle machine, and by a fifth on a crowded one).
 */
import { fdatasync } from 'node:fs'

type Done = (error: Error | null) => void

let waiting: [fd: number, done: Done][] = []

/** fdatasync(2), once, of what was written so far. The descriptor has to stay open until `done` is called. */
export function sync(fd: number, done: Done): void {
  if (waiting.push([fd, done]) === 1) setImmediate(handOver)
}

function handOver(): void {
  const all = waiting
  waiting = []
  for (const [fd, done] of all) fdatasync(fd, done)
}
