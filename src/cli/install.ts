import { userInfo } from 'node:os'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { install, linger, recoverUnit } from '../supervisor/install.js'
import { context, EXIT, type Verb } from './context.js'
import { print, say } from './terminal.js'

export const verb: Verb<{ linger?: boolean; json?: boolean; how?: boolean }> = {
  command: 'install',
  describe: 'Have `agentz recover` run at each login or boot',
  build: (yargs) =>
    yargs.option('linger', { type: 'boolean', describe: 'Also let sessions outlive your last log-out' }) as never,
  handle: async ({ linger: isLingering, json, how }) => {
    const { home } = context()
    const { username } = userInfo()
    const enable = `loginctl enable-linger ${shellWords([username])}`
    if (how) {
      await print(`${shellWords(['systemctl', '--user', 'enable', `${programs.units}/${recoverUnit}`])}\n`)
      if (isLingering) await print(`${enable}\n`)
      return EXIT.ok
    }
    const done = await install(home)
    await print(json ? `${JSON.stringify(done)}\n` : `${done.unit} is enabled; its settings are in ${done.dropIn}\n`)
    if (isLingering) await linger(username)
    else say(`Sessions outlive your last log-out only with: ${enable}`)
    return EXIT.ok
  },
}
