/**
 * The directory we were called in, which may have been removed under the shell. Looked at before anything else is loaded,
 * since packages ask for it at their start and would end the process.
 */
import { AgentzError } from '../base/errors.js'

const cwd = calledIn()

function calledIn(): string | undefined {
  try {
    return process.cwd()
  } catch {
    process.chdir('/')
    return undefined
  }
}

/** @throws DIR_MISSING */
export function workingDirectory(): string {
  if (cwd !== undefined) return cwd
  throw new AgentzError('DIR_MISSING', 'cannot work in the current directory: it was removed')
}
