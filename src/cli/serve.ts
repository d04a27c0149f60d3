import type { Server } from 'node:net'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { serverSocket } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { inheritedSockets } from '../sockets/inherited.js'
import { startSuccessor, tellPredecessor } from '../sockets/successor.js'
import { context, type Verb } from './context.js'
import { replaceServer } from './running.js'
import { print, say } from './terminal.js'

interface Args {
  host?: '127.0.0.1' | '::1' | 'localhost'
  port?: string
  streamsOrigin?: string[]
  streamsPublic?: boolean
  idleExit?: string
  replace?: boolean
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
      .option('replace', {
        type: 'boolean',
        describe:
          'Have the server that runs start the one that is installed now in its place; nobody is refused meanwhile',
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
    if (args.replace) {
      const { url, pid } = await replaceServer(home)
      const told = `the server of process ${pid} has taken over, at ${url}\n`
      await print(args.json ? `${JSON.stringify({ url, socketPath: serverSocket(home), pid })}\n` : told)
      return 0
    }
    // The framework is loaded by this verb alone.
    const { serve } = await import('../server/serve.js')
    const inherited = inheritedSockets()
    const where = { host, port, ...(inherited && { inherited }), ...(idleExit && { idleExit }) }
    // Who would end with us, or holds what we listen on.
    const isHeld = inherited?.fromServer === false || process.env.SYSTEMD_EXEC_PID === String(process.pid)
    // From before anybody can learn whom to send it to: by itself it ends a process.
    let asked = async () => say(isHeld ? HELD : STARTING)
    process.on('SIGUSR2', () => void asked())
    const { url, socketPath, closed, servers, close } = await serve({ home, config, supervisor, sharing, ...where })
    if (!isHeld) asked = () => handOver(servers, close)
    if (idleExit && inherited?.fromServer !== false) say('when it ends for want of requests, nothing starts it again')
    const text = `listening on ${socketPath}\n         and ${url}   (a browser: \`agentz open\`; its token: \`agentz token\`)\n`
    await print(args.json ? `${JSON.stringify({ url, socketPath, pid: process.pid })}\n` : text)
    if (inherited?.fromServer) tellPredecessor()
    await closed
    return 0
  },
}

const HELD = 'systemd runs this server: `systemctl --user restart` of its unit puts another one in its place'
const STARTING = 'this server is only starting, and nobody takes its place yet'
let isHandingOver = false

/** What SIGUSR2 asks for. */
async function handOver(servers: readonly Server[], close: (succeeded: boolean) => Promise<void>): Promise<void> {
  if (isHandingOver) return
  isHandingOver = true
  try {
    const pid = await startSuccessor(servers)
    say(`the server of process ${pid} has taken over; this one ends`)
    await close(true)
  } catch (thrown) {
    const { message, hint } = toAgentzError(thrown)
    say(`agentz: ${message}\n${hint}`)
  }
  isHandingOver = false
}

/** As browsers send it, to the letter. */
function checkOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return
  throw new AgentzError('BAD_INPUT', `--streams-origin: ${JSON.stringify(origin)} is not an origin`, {
    hint: 'Write it as browsers do: https://example.org, without a path.',
  })
}
