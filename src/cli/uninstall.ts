import { context, EXIT, type Verb } from './context.js'
import { atLoginOf } from './install.js'
import { print } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'uninstall',
  describe: 'Undo what `agentz install` did',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const atLogin = atLoginOf(context().supervisor)
    const all = [atLogin, ...(atLogin.server ? [atLogin.server] : [])]
    if (how) {
      for (const each of all) await print(`${each.howToUninstall()}\n`)
      return EXIT.ok
    }
    const gone: string[] = []
    for (const each of all) if (await each.uninstall()) gone.push(each.unit)
    const done = gone.length > 0
    const text = done ? gone.map((unit) => `${unit} is gone\n`).join('') : 'nothing was installed\n'
    await print(json ? `${JSON.stringify({ done })}\n` : text)
    return EXIT.ok
  },
}
