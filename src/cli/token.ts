import { shellWords } from '../base/shell.js'
import { ensureToken, rotateToken } from '../base/token.js'
import { context, type Verb } from './context.js'
import { print } from './terminal.js'

export const verb: Verb<{ rotate?: boolean; json?: boolean; how?: boolean }> = {
  command: 'token',
  describe: "Print the server's bearer token; nothing else does",
  build: (yargs) =>
    yargs.option('rotate', {
      type: 'boolean',
      describe: 'Make another one first: the one before, and browsers that are logged in, are let in no more',
    }) as never,
  handle: async ({ rotate, json, how }) => {
    const { home } = context()
    if (how) {
      const file = shellWords([home.token])
      const fresh = `(umask 077; head -c 32 /dev/urandom | basenc --base64url | tr -d = > ${file}.new && mv ${file}.new ${file})\n`
      await print(`${rotate ? fresh : ''}cat ${file}\n`)
      return 0
    }
    const token = rotate ? rotateToken(home) : ensureToken(home)
    await print(json ? `${JSON.stringify({ token })}\n` : `${token}\n`)
    return 0
  },
}
