/** Which boot of the machine this is. What ran in another one does not run any more. */
import { readFileSync } from 'node:fs'

let known: string | undefined

export function bootId(): string {
  known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return known
}
