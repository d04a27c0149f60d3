import { AgentzError } from '../base/errors.js'
import { serverSocket } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { inheritedSockets } from '../sockets/inherited.js'
import { context, type Verb } from './context.js'
import { print, say } from './terminal.js'

interface Args {
  host?: '127.0.0.1' | '::1' | 'localhost'
  port?: string
  streamsOrigin?: string[]
  streamsPublic?: boolean
  idleExit?: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'serve',
  describe: 'Serve the HTTP API on a Unix socket and on loopback; sessions do not need it',
  build: (yargs) =>
    yargs
      .option('host', {
        choices: ['127.0.0.1', '::1', 'localhost'] as const,
        describe: 'The loopback address to listen on',
      })
      .option('port', {
        alias: 'p',
        type: 'string',
        describe: 'The port; 4201, if not given; 0 takes a free one',
      })
      .option('idle-exit', {
        type: 'string',
        describe: 'End when nobody has asked anything for so many seconds',
      })
      .option('streams-origin', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Pages of this origin may use durable streams, with the token',
      })
      .option('streams-public', {
        type: 'boolean',
        describe: 'Whoever reaches the port may use durable streams, without a token; not sessions',
      }) as never,
  handle: async (args) => {
    const { home, config, supervisor } = context()
    const host = args.host ?? config.server.host
    const port = args.port === undefined ? config.server.port : Number(args.port)
    if (!/^\d{1,5}$/.test(args.port ?? '0') || port > 65535) {
      throw new AgentzError('BAD_INPUT', `--port: ${JSON.stringify(args.port)} is not a port`)
    }
    const idleExit = args.idleExit === undefined ? undefined : Number(args.idleExit)
    if (!/^[1-9]\d{0,5}$/.test(args.idleExit ?? '1')) {
      throw new AgentzError('BAD_INPUT', `--idle-exit: ${JSON.stringify(args.idleExit)} is not a number of seconds`)
    }
    const origins = args.streamsOrigin ?? []
    for (const origin of origins) checkOrigin(origin)
    const sharing = { origins, public: args.streamsPublic === true }
    if (args.how) {
      const socket = shellWords([serverSocket(home)])
      await print(
        `curl --unix-socket ${socket} http://localhost/v1/sessions\ntail -f ${shellWords([home.registry])}   # what it serves, without it\n`,
      )
      return 0
    }
    // The framework is loaded by this verb alone.
    const { serve } = await import('../server/serve.js')
    const inherited = inheritedSockets()
    const where = { host, port, inherited, ...(idleExit && { idleExit }) }
    const { url, socketPath, closed } = await serve({ home, config, supervisor, sharing, ...where })
    if (idleExit && inherited.length === 0) say('when it ends for want of requests, nothing starts it again')
    const text = `listening on ${socketPath}\n         and ${url}   (a browser: \`agentz open\`; its token: \`agentz token\`)\n`
    await print(args.json ? `${JSON.stringify({ url, socketPath, pid: process.pid })}\n` : text)
    await closed
    return 0
  },
}

/** As browsers send it, to the letter. */
function checkOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return
  throw new AgentzError('BAD_INPUT', `--streams-origin: ${JSON.stringify(origin)} is not an origin`, {
    hint: 'Write it as browsers do: https://example.org, without a path.',
  })
}
