/** One pino logger a process, on stderr, which the journal keeps for units. What a session did is not here but in its file. */
import { pino } from 'pino'

export type Logger = ReturnType<typeof createLogger>

/** @param name daemon, reaper or server; @param fields what every line carries, such as sessionId */
export function createLogger(name: string, fields: Record<string, unknown> = {}) {
  return pino(
    {
      name,
      level: process.env.AGENTZ_LOG_LEVEL ?? 'info',
      base: { pid: process.pid, ...fields },
      redact: ['req.headers.authorization', 'req.headers.cookie'],
    },
    pino.destination({ dest: 2, sync: true }),
  )
}
