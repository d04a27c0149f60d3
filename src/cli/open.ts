import { CODE_MS, issueCode, leadTo } from '../base/login.js'
import { type Home, serverSocket } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { findSession } from '../session/find.js'
import { startBrowser } from './browser.js'
import { context, type Verb } from './context.js'
import { runningServer } from './running.js'
import { print, say } from './terminal.js'

interface Args {
  id?: string
  print?: boolean
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'open [id]',
  describe: 'Log a browser in to the server that runs',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', describe: 'The session to look at' })
      .option('print', { type: 'boolean', describe: 'Print the address, and start no browser' }) as never,
  handle: async (args) => {
    const { home } = context()
    const id = args.id === undefined ? undefined : findSession(home, args.id)
    if (args.how) {
      await print(how(home, id))
      return 0
    }
    const { page } = await runningServer(home)
    const code = issueCode(home)
    const url = `${page}/login#${code}${id === undefined ? '' : `/${id}`}`
    if (args.json) {
      await print(`${JSON.stringify({ url, expiresAt: new Date(Date.now() + CODE_MS).toISOString() })}\n`)
      return 0
    }
    if (!args.print) {
      const failure = await startBrowser(leadTo(home, code, url))
      if (failure === undefined) {
        say(`the browser opens ${page}; if it does not, take the address that \`agentz open --print\` prints`)
        return 0
      }
      say(`${failure}: open this address yourself, within a minute; it is good once`)
    }
    await print(`${url}\n`)
    return 0
  },
}

function how(home: Home, id: string | undefined): string {
  const socket = shellWords([serverSocket(home)])
  const directory = shellWords([home.logins])
  return [
    'code=$(head -c 32 /dev/urandom | basenc --base64url | tr -d =)',
    `(umask 077; mkdir -p ${directory}; echo $(($(date +%s%3N) + ${CODE_MS})) > ${directory}/$(printf %s "$code" | sha256sum | cut -c -64))`,
    `echo "$(curl -s --unix-socket ${socket} http://localhost/v1/server | jq -r .page)/login#$code${id === undefined ? '' : `/${id}`}"`,
    '',
  ].join('\n')
}
