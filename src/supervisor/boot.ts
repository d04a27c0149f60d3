/** Which boot of the machine this is. What ran in another one does not run any more. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { AgentzError } from '../base/errors.js'

const LINUX = '/proc/sys/kernel/random/boot_id'

let known: string | undefined

export function bootId(): string {
  known ??= existsSync(LINUX) ? readFileSync(LINUX, 'utf8').trim() : parseBootSession(askSysctl())
  return known
}

/** Not kern.boottime, which moves when the clock is set. Never run on a Mac so far. */
const askSysctl = (): string => execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })

/** In the form that Linux has it. */
export function parseBootSession(text: string): string {
  const id = text.trim().toLowerCase()
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id
  throw new AgentzError('INTERNAL', `sysctl kern.bootsessionuuid says ${JSON.stringify(text)}, which names no boot`)
}
