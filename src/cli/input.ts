/** Text that a person gives: as arguments, in a file, or on standard input. */
import { readFileSync } from 'node:fs'
import { AgentzError, reason } from '../base/errors.js'

/**
 * From the arguments, from a file, or from standard input for `-f -`, which a lone `-` means too.
 * @param what it is, for errors @throws USAGE, BAD_INPUT
 */
export async function readText(what: string, words: readonly string[], file: string | undefined): Promise<string> {
  const typed = words.join(' ')
  if (file !== undefined && typed !== '') throw new AgentzError('USAGE', `a ${what} and -f together: which one?`)
  if (file !== undefined && file !== '-') {
    try {
      return utf8(readFileSync(file), what, file)
    } catch (error) {
      if (error instanceof AgentzError) throw error
      throw new AgentzError('BAD_INPUT', `cannot read the ${what} from ${file}: ${reason(error)}`, {
        cause: error,
        hint: 'Name a file that you may read, or - for standard input.',
      })
    }
  }
  if (file === undefined) return typed
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return utf8(Buffer.concat(chunks), what, 'standard input')
}

function utf8(bytes: Buffer, what: string, from: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new AgentzError('BAD_INPUT', `the ${what} from ${from} is not UTF-8 text`, { cause: error })
  }
}
