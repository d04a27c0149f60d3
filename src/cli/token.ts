import { shellWords } from '../base/shell.js'
import { ensureToken } from '../base/token.js'
import { context, type Verb } from './context.js'
import { print } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'token',
  describe: "Print the server's bearer token; nothing else does",
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const { home } = context()
    if (how) await print(`${shellWords(['cat', home.token])}\n`)
    else await print(json ? `${JSON.stringify({ token: ensureToken(home) })}\n` : `${ensureToken(home)}\n`)
    return 0
  },
}
