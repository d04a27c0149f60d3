// The servers that the benchmark of streams compares: each a process with a directory of its own, that can be started again.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cli } from './measure.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
export const SESSION = '0123456789ab'

class Server {
  headers = {}

  constructor(label, root) {
    this.label = label
    this.directory = join(root, label)
    mkdirSync(this.directory, { recursive: true, mode: 0o700 })
    this.log = openSync(join(root, `${label}.log`), 'a')
  }

  path = (name) => `/v1/stream/${name}`
  /** Where the lines of a stream are that may be put there while the server is down; undefined if there is no such place. */
  file = () => undefined
  argv = () => []
  env = {}

  get pid() {
    return this.child.pid
  }

  async start() {
    const env = { ...process.env, ...this.env }
    this.child = spawn(process.execPath, this.argv(), { env, stdio: ['ignore', 'pipe', this.log] })
    this.url = await new Promise((resolve, reject) => {
      let text = ''
      this.child.once('exit', (code) => reject(new Error(`${this.label} ended with ${code}`)))
      this.child.stdout.on('data', (data) => {
        text += data
        const [, url] = /^\{"url":"([^"]+)".*\}$/m.exec(text) ?? []
        if (url !== undefined) resolve(url)
      })
    })
  }

  async stop() {
    if (this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.removeAllListeners('exit').once('exit', resolve))
    this.child.kill('SIGKILL')
    await gone
  }

  async restart() {
    await this.stop()
    await this.start()
  }

  /** From now on the highest of its memory is counted anew. */
  forgetPeak = () => writeFileSync(`/proc/${this.pid}/clear_refs`, '5')
  memory = (field) =>
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))[1]) / 1024
}

export class Official extends Server {
  constructor(root) {
    super('official', root)
    const folder = here('peer')
    // A peer of this benchmark alone, with a lock file of its own.
    if (!existsSync(join(folder, 'node_modules')))
      execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  }
  argv = () => [here('peer/server.mjs'), this.directory]
}

export class Floor extends Server {
  constructor(root) {
    super('floor', root)
  }
  argv = () => [here('floor-server.mjs'), this.directory]
  file = (name) => join(this.directory, `${name}.ndjson`)
}

export class Ours extends Server {
  constructor(root) {
    super('agentz', root)
    this.home = join(this.directory, 'home')
    this.env = { AGENTZ_HOME: this.home, XDG_RUNTIME_DIR: this.directory }
    mkdirSync(join(this.home, 'sessions'), { recursive: true, mode: 0o700 })
  }
  argv = () => [cli, 'serve', '--port', '0', '--streams-public', '--json']
  file = (name) => join(this.home, 'streams', `${name}.ndjson`)
  session = (id) => join(this.home, 'sessions', `${id}.ndjson`)

  async start() {
    await super.start()
    this.headers = { authorization: `Bearer ${readFileSync(join(this.home, 'token'), 'utf8').trim()}` }
  }

  /** The same server, asked for sessions instead. */
  as(label, path) {
    const other = Object.create(this, { label: { value: label }, path: { value: path } })
    return other
  }
}
