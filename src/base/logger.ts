/** pino on stderr, which the journal keeps for units. What a session did is not here but in its file. */

/** A logger of the server's. @param fields what every line carries */
export async function createLogger(name: string, fields: Record<string, unknown> = {}) {
  const { pino } = await import('pino')
  return pino(
    {
      name,
      // A person at a terminal wants to see what is wrong, not each request.
      level: process.env.AGENTZ_LOG_LEVEL ?? (process.stderr.isTTY ? 'warn' : 'info'),
      base: { pid: process.pid, ...fields },
      redact: ['req.headers.authorization', 'req.headers.cookie'],
    },
    words(pino.destination({ dest: 2, sync: true, maxLength: MOST_KEPT })),
  )
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
