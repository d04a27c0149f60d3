import { context, EXIT, type Verb } from './context.js'
import { atLoginOf } from './install.js'
import { print } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'uninstall',
  describe: 'Undo what `agentz install` did',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const atLogin = atLoginOf(context().supervisor)
    if (how) {
      await print(`${atLogin.howToUninstall()}\n`)
      return EXIT.ok
    }
    const done = await atLogin.uninstall()
    await print(json ? `${JSON.stringify({ done })}\n` : done ? `${atLogin.unit} is gone\n` : 'nothing was installed\n')
    return EXIT.ok
  },
}
