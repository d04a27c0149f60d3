import { recoverUnit, uninstall } from '../supervisor/install.js'
import { context, EXIT, type Verb } from './context.js'
import { print } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'uninstall',
  describe: 'Undo what `agentz install` did',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const { home } = context()
    if (how) {
      await print(`systemctl --user disable ${recoverUnit}\n`)
      return EXIT.ok
    }
    const done = await uninstall(home)
    await print(json ? `${JSON.stringify({ done })}\n` : done ? `${recoverUnit} is gone\n` : 'nothing was installed\n')
    return EXIT.ok
  },
}
