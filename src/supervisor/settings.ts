/** What `agentz install` has written: one file for a user, which belongs to one AGENTZ_HOME. */
import { readFileSync } from 'node:fs'
import { AgentzError, errno } from '../base/errors.js'

/**
 * @param own what stands in the settings of this AGENTZ_HOME alone
 * @returns whether they are there. @throws CONFLICT if they are another one's
 */
export function isInstalled(path: string, own: string): boolean {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
  if (text.includes(own)) return true
  throw new AgentzError('CONFLICT', `${path} is there for another AGENTZ_HOME`, {
    hint: 'Run `agentz uninstall` with that AGENTZ_HOME first.',
  })
}
