/** The server that runs for a home: where it is, and another one in its place. */
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod/mini'
import { AgentzError, errno, reason } from '../base/errors.js'
import { type Home, serverSocket } from '../base/paths.js'
import { parseRecord } from '../log/line.js'

/** Its page goes to a browser, and its process is sent a signal: what a server of another version says may be anything. */
const Running = z.object({
  version: z.string(),
  pid: z.int().check(z.gt(1)),
  url: z.string(),
  page: z.string().check(z.regex(/^http:\/\/[\w.[\]:-]+$/)),
})
export type Running = z.output<typeof Running>

/** How long another one may take to be there, and how often that is looked at, in milliseconds. */
const REPLACE_MS = 35_000
const LOOK_MS = 50

/** @throws NO_SERVER */
export async function runningServer(home: Home): Promise<Running> {
  const socketPath = serverSocket(home)
  const none = (why: string, cause?: unknown) =>
    new AgentzError('NO_SERVER', `no server of ${home.root} answers on ${socketPath}: ${why}`, { cause })
  const text = await ask(socketPath).catch((error) => {
    throw none(errno(error) === 'ENOENT' ? 'none runs' : reason(error), error)
  })
  const { data } = z.safeParse(Running, parseRecord(Buffer.from(text)))
  if (data === undefined) throw none('it is of another version')
  return data
}

/**
 * Has the server that runs start another one, as it is installed now, in its own place.
 * @returns the new one. @throws NO_SERVER; SERVER_LISTEN if the old one is still there after a while
 */
export async function replaceServer(home: Home): Promise<Running> {
  const { pid } = await runningServer(home)
  process.kill(pid, 'SIGUSR2')
  for (const end = Date.now() + REPLACE_MS; Date.now() < end; await delay(LOOK_MS)) {
    const now = await runningServer(home)
    if (now.pid !== pid) return now
  }
  throw new AgentzError('SERVER_LISTEN', `the server of process ${pid} has not started another one in its place`, {
    hint: `What it says stands on its standard error. One that systemd started: systemctl --user restart agentz-server`,
  })
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // One connection each: one that is kept is cut off when its server ends, perhaps while it is being used again.
    const how = { socketPath, path: '/v1/server', headers: { host: 'localhost' }, timeout: 10_000, agent: false }
    const asked = request(how)
    asked.once('error', reject)
    asked.once('timeout', () => asked.destroy(new Error('it is silent')))
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data: string) => {
        text += data
      })
      response.once('error', reject).once('end', () => resolve(text))
    })
    asked.end()
  })
}
