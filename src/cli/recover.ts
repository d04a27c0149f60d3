import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { readSession } from '../session/state.js'
import { recover } from '../supervisor/recover.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { context, EXIT, type Verb } from './context.js'
import { harmless, harmlessJson, print, say } from './terminal.js'

interface Args {
  dryRun?: boolean
  spacing: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'recover',
  describe: 'Bring back what a log-out, a crash or a reboot has interrupted',
  build: (yargs) =>
    yargs
      .option('dry-run', { type: 'boolean', describe: 'Say what would be done, and change nothing' })
      .option('spacing', {
        type: 'string',
        default: '0.2',
        describe: 'Seconds between two sessions, more or less by half; more where the machine is slow',
      })
      .epilogue('Exit status: 1 if a session could not be brought back, or was held.') as never,
  handle: async ({ dryRun = false, spacing, json, how }) => {
    const { home, supervisor } = context()
    const spacingMs = Number(spacing) * 1000
    if (!(spacingMs >= 0 && spacingMs <= 3_600_000) || spacing.trim() === '') {
      throw new AgentzError('BAD_INPUT', `--spacing: ${JSON.stringify(spacing)} is not a number of seconds up to 3600`)
    }
    let seen = 0
    if (how) {
      await recover(home, supervisor, {
        dryRun: true,
        spacingMs,
        onResult: ({ sessionId, action, why }) => {
          seen++
          return print(commands(home, supervisor, sessionId, { action, why }))
        },
      })
      if (seen === 0) say('nothing to recover')
      return EXIT.ok
    }
    let bad = 0
    await recover(home, supervisor, {
      dryRun,
      spacingMs,
      onResult: async (result) => {
        seen++
        if (result.action === 'failed' || result.action === 'held') bad++
        const { sessionId, action, why } = result
        await print(json ? `${harmlessJson(JSON.stringify(result))}\n` : harmless(`${sessionId} ${action}: ${why}\n`))
      },
    })
    if (seen === 0) say('nothing to recover')
    return bad > 0 ? EXIT.error : EXIT.ok
  },
}

/** What brings one session back. What is only to be marked as interrupted stays as it is. */
function commands(
  home: Home,
  supervisor: Supervisor,
  id: string,
  { action, why }: { action: string; why: string },
): string {
  const start = action === 'resume' ? `${supervisor.howToStart(readSession(home, id).spec)}\n` : ''
  return `${harmless(`# ${id} ${action}: ${why}`)}\n${start}`
}
