/** pino on stderr, which the journal keeps for units. What a session did is not here but in its file. */
import type { pino } from 'pino'

/** A logger of a program's. @param fields what every line carries @param to where its lines go */
export async function createLogger(
  name: string,
  fields: Record<string, unknown> = {},
  to: (stderr: Stderr) => pino.DestinationStream = (stderr) => stderr,
) {
  const { pino } = await import('pino')
  return pino(
    {
      name,
      // A person at a terminal wants to see what is wrong, not each request.
      level: process.env.AGENTZ_LOG_LEVEL ?? (process.stderr.isTTY ? 'warn' : 'info'),
      base: { pid: process.pid, ...fields },
      redact: ['req.headers.authorization', 'req.headers.cookie'],
    },
    to(words(pino.destination({ dest: 2, sync: true, maxLength: MOST_KEPT }))),
  )
}

/** The server's logger: it has a line for each request, and a call of the system for each line would be a good part of what a request takes. */
export const createServerLogger = () => createLogger('server', {}, (stderr) => new Gathered(stderr))

type Stderr = ReturnType<typeof pino.destination>

const INFO = 30
/** To whom has this pino tells the level of each line before it writes it. */
const tellMe: unique symbol = Symbol.for('pino.metadata')
/** How long a line may wait for others, in milliseconds, and how many characters of them. */
const WAIT_MS = 50
const MOST_WAITING = 64 * 1024

/** Lines that are written together. What is worse than news is written at once, and the rest with it. */
class Gathered {
  readonly [tellMe] = true
  lastLevel = 0
  readonly #stderr: Stderr
  #lines = ''
  #timer: NodeJS.Timeout | undefined

  constructor(stderr: Stderr) {
    this.#stderr = stderr
    process.once('exit', this.#flush)
  }

  write(line: string): void {
    this.#lines += line
    if (this.lastLevel > INFO || this.#lines.length > MOST_WAITING) this.#flush()
    else this.#timer ??= setTimeout(this.#flush, WAIT_MS).unref()
  }

  readonly #flush = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#stderr.write(lines)
  }
}

/** What could not be written is tried again with the next line, and no more of it is kept, in bytes. */
const MOST_KEPT = 1024 * 1024

/** Words are lost where nobody takes them: on a full disk, or because their reader has gone. Nothing else may end for that. */
function words<D extends NodeJS.EventEmitter>(destination: D): D {
  destination.on('error', () => undefined)
  return destination
}

export type Logger = Awaited<ReturnType<typeof createLogger>>

type Level = 'info' | 'warn' | 'error' | 'fatal'

/** For a daemon and its reaper, which mostly have nothing to say: pino is loaded with the first word, not at the start. */
export interface QuietLogger extends Record<Level, (detail: Record<string, unknown>, message: string) => void> {
  /** Resolves when everything said so far is written. */
  flushed(): Promise<void>
}

export function createQuietLogger(name: string, fields: Record<string, unknown> = {}): QuietLogger {
  let logger: Promise<Logger> | undefined
  let last: Promise<void> = Promise.resolve()
  const at = (level: Level) => (detail: Record<string, unknown>, message: string) => {
    logger ??= createLogger(name, fields)
    last = logger.then((pino) => pino[level](detail, message))
  }
  return { info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal'), flushed: () => last }
}
