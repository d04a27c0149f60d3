import { userInfo } from 'node:os'
import { AgentzError } from '../base/errors.js'
import type { AtLogin, Supervisor } from '../supervisor/supervisor.js'
import { context, EXIT, type Verb } from './context.js'
import { print, say } from './terminal.js'

export const verb: Verb<{ linger?: boolean; json?: boolean; how?: boolean }> = {
  command: 'install',
  describe: 'Have `agentz recover` run at each login or boot',
  build: (yargs) =>
    yargs.option('linger', { type: 'boolean', describe: 'Also let sessions outlive your last log-out' }) as never,
  handle: async ({ linger: isLingering, json, how }) => {
    const { supervisor } = context()
    const atLogin = atLoginOf(supervisor)
    const { unit, linger } = atLogin
    const { username } = userInfo()
    if (isLingering && linger === undefined)
      throw new AgentzError(
        'UNSUPPORTED',
        `cannot let sessions outlive log-out under ${supervisor.name}: it has no lingering`,
        {
          hint: 'Without --linger, `agentz install` has them brought back at the next login.',
        },
      )
    if (how) {
      await print(`${atLogin.howToInstall()}\n`)
      if (isLingering) await print(`${linger?.how(username)}\n`)
      return EXIT.ok
    }
    const settings = await atLogin.install()
    await print(
      json ? `${JSON.stringify({ unit, settings })}\n` : `${unit} is enabled; its settings are in ${settings}\n`,
    )
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
