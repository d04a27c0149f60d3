import { userInfo } from 'node:os'
import { AgentzError } from '../base/errors.js'
import type { AtLogin, Supervisor } from '../supervisor/supervisor.js'
import { context, EXIT, type Verb } from './context.js'
import { print, say } from './terminal.js'

export const verb: Verb<{ linger?: boolean; server?: boolean; json?: boolean; how?: boolean }> = {
  command: 'install',
  describe: 'Have `agentz recover` run at each login or boot',
  build: (yargs) =>
    yargs
      .option('linger', { type: 'boolean', describe: 'Also let sessions outlive your last log-out' })
      .option('server', {
        type: 'boolean',
        describe: 'Also have the HTTP API started by whoever connects first',
      }) as never,
  handle: async ({ linger: isLingering, server: isServing, json, how }) => {
    const { supervisor } = context()
    const atLogin = atLoginOf(supervisor)
    const { linger, server } = atLogin
    const { username } = userInfo()
    if (isLingering && linger === undefined)
      throw new AgentzError(
        'UNSUPPORTED',
        `cannot let sessions outlive log-out under ${supervisor.name}: it has no lingering`,
        {
          hint: 'Without --linger, `agentz install` has them brought back at the next login.',
        },
      )
    if (isServing && server === undefined)
      throw new AgentzError(
        'UNSUPPORTED',
        `cannot have the server started by its first client under ${supervisor.name}`,
        {
          hint: 'Node cannot be handed the sockets of launchd: run `agentz serve`.',
        },
      )
    if (how) {
      await print(`${atLogin.howToInstall()}\n`)
      if (isServing) await print(`${server?.howToInstall()}\n`)
      if (isLingering) await print(`${linger?.how(username)}\n`)
      return EXIT.ok
    }
    for (const each of [atLogin, ...(isServing && server ? [server] : [])]) {
      const settings = await each.install()
      const text = json
        ? JSON.stringify({ unit: each.unit, settings })
        : `${each.unit} is enabled; its settings are in ${settings}`
      await print(`${text}\n`)
    }
    if (isLingering) await linger?.enable(username)
    else if (linger !== undefined) say(`Sessions outlive your last log-out only with: ${linger.how(username)}`)
    return EXIT.ok
  },
}

/** @throws UNSUPPORTED */
export function atLoginOf({ name, atLogin }: Pick<Supervisor, 'name' | 'atLogin'>): AtLogin {
  if (atLogin !== undefined) return atLogin
  throw new AgentzError(
    'UNSUPPORTED',
    `cannot have recover run at login under ${name}: nothing here starts it by itself`,
    {
      hint: 'Have `agentz recover` called by what this machine runs at login or boot, such as @reboot of crontab(5).',
    },
  )
}
