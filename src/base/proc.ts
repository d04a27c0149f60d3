/** Processes as /proc tells of them. Where there is no /proc nothing is known of any. */
import { readFileSync } from 'node:fs'
import { errno } from './errors.js'

/** A process, named so that a later one with the same number is not taken for it. */
export interface Member {
  readonly pid: number
  /** Clock ticks from boot to the start of the process. */
  readonly start: string
}

export interface Stat extends Member {
  readonly parent: number
  readonly state: string
}

export const lives = (stat: Stat): boolean => stat.state !== 'Z' && stat.state !== 'X'

/** proc_pid_stat(5): the second field is the name in brackets and may hold anything, so count from the last bracket. */
export function statOf(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    // ESRCH: it ended between opening and reading.
    if (errno(error) === 'ENOENT' || errno(error) === 'ESRCH' || errno(error) === 'EACCES') return undefined
    throw error
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, state: fields[0] ?? '', parent: Number(fields[1]), start: fields[19] ?? '' }
}
