import { userInfo } from 'node:os'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { install, recoverUnit } from '../supervisor/install.js'
import { context, EXIT, type Verb } from './context.js'
import { print, say } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'install',
  describe: 'Have `agentz recover` run at each login or boot',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const { home } = context()
    if (how) {
      await print(`${shellWords(['systemctl', '--user', 'enable', `${programs.units}/${recoverUnit}`])}\n`)
      return EXIT.ok
    }
    const done = await install(home)
    await print(json ? `${JSON.stringify(done)}\n` : `${done.unit} is enabled; its settings are in ${done.dropIn}\n`)
    say(`Sessions outlive your last log-out only with: loginctl enable-linger ${shellWords([userInfo().username])}`)
    return EXIT.ok
  },
}
