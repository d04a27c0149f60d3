/** The README's lines of curl, and those that read files, are run as they are printed: only ids, addresses and directories are put in. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { Agentz, cliPath, requireManager, root } from './helpers/agentz.js'
import { tempDir, until } from './helpers/home.js'

requireManager()

/** The blocks of shell that hold one of `words`, each as its commands; a line that ends in a backslash goes on in the next. */
function commands(...words: string[]): string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
  return blocks
    .filter((block) => words.some((word) => block.includes(word)))
    .flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'))
    .filter((line) => line !== '')
}

interface Said {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A shell in which `agentz`, `curl` and `make` are there, and curl ends with a status of its own where it is refused. */
class Shell {
  readonly #test: Test
  readonly #env: NodeJS.ProcessEnv
  readonly #places: readonly (readonly [string, string])[]

  constructor(test: Test, a: Agentz, places: readonly (readonly [string, string])[]) {
    const bin = tempDir(test)
    writeFileSync(join(bin, 'agentz'), `#!/bin/sh\nexec '${process.execPath}' '${cliPath}' "$@"\n`)
    writeFileSync(join(bin, 'make'), '#!/bin/sh\necho made "$@"\n')
    for (const name of ['agentz', 'make']) chmodSync(join(bin, name), 0o755)
    writeFileSync(join(bin, '.curlrc'), 'silent\nshow-error\nfail-with-body\n')
    this.#env = { ...a.env, PATH: `${bin}:${process.env.PATH}`, CURL_HOME: bin }
    this.#places = places
    this.#test = test
  }

  #start(line: string): {
    child: ChildProcess
    said: { stdout: string; stderr: string }
    ended: Promise<number | null>
  } {
    const text = this.#places.reduce((all, [from, to]) => all.replaceAll(from, to), line)
    const child = spawn('bash', ['-euo', 'pipefail', '-c', text], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      said.stdout += data
    })
    child.stderr.on('data', (data) => {
      said.stderr += data
    })
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    this.#test.teardown(() => end(child))
    return { child, said, ended }
  }

  async run(line: string): Promise<Said> {
    const { said, ended } = this.#start(line)
    return { status: await ended, ...said }
  }

  /** Of a line that follows something for ever: until it has printed what it `wanted`. */
  async follow(line: string, wanted: RegExp): Promise<void> {
    const { child, said, ended } = this.#start(line)
    await until(() => wanted.test(said.stdout) || child.exitCode !== null, `${line} prints ${wanted}`)
    this.#test.match(said.stdout, wanted, line)
    this.#test.equal(child.exitCode, null, 'and goes on')
    end(child)
    await ended
  }
}

/** Ends a shell and what it has started, by the group that they alone are in. */
function end({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL')
}

/** What a line answers that is not one of JSON or silent, by what stands in it. */
const follows: [RegExp, RegExp][] = [
  [/ -N .*sessions\/.*Last-Event-ID/, /^id: \d+$/m],
  [/ -N .*sessions\//, /^data: .*"session_created"/m],
  [/ -N .*live=sse/, /^event: control$/m],
  [/^tail -f/, /^[^\n]+\n/],
]

t.test('lines for a session and for the API', async (t) => {
  const a = new Agentz(t)
  const directory = tempDir(t)
  const { socketPath, url } = await a.serve(t)
  const asks = a.run('-a', 'demo', '-C', directory, 'show me')
  const request = await a.untilType(asks.sessionId, 'approval_request')
  const [first] = readFileSync(asks.log, 'utf8').split('\n')
  const offset = String(Buffer.byteLength(`${first}\n`))
  const shell = new Shell(t, a, [
    ['S=$XDG_RUNTIME_DIR/agentz/server.sock', `S=${socketPath}`],
    ['$S', socketPath],
    ['http://127.0.0.1:4201', url],
    ['/sessions/ID', `/sessions/${asks.sessionId}`],
    ['REQUEST', String(request.requestId)],
    ['4f1c9a0b7e2d', asks.sessionId],
    ['OFFSET', offset],
    ['$((offset + 1))', `$((${offset} + 1))`],
    ['~/.agentz', a.home.root],
    ['/home/me/src', directory],
    ['$U', 'http://localhost/v1/stream'],
    // To a terminal it writes each line at once.
    ['| jq -rR', '| jq --unbuffered -rR'],
  ])
  const lines = commands('curl ', '~/.agentz/sessions').filter((line) => /^(curl|tail|grep|printf)/.test(line))
  t.ok(lines.length > 25, `${lines.length} lines`)
  for (const line of lines) {
    const wanted = follows.find(([which]) => which.test(line))?.[1]
    if (wanted) {
      await shell.follow(line, wanted)
      continue
    }
    const { status, stdout, stderr } = await shell.run(line)
    t.equal(status, 0, `${line}\n${stdout}${stderr}`)
    t.equal(stderr, '', 'and says nothing else')
    if (/-X (PUT|DELETE)|\/stream\/.*-X POST|-X POST.*\$U/.test(line)) t.equal(stdout, '', 'silent')
    else if (/^curl/.test(line) && !/follow=0|metrics|jq/.test(line)) JSON.parse(stdout)
    if (/approvals\/REQUEST/.test(line)) {
      await a.until(asks.sessionId, (all) => all.some((event) => event.decision === 'allow'), 'it is allowed')
    }
  }
  t.ok(lines.some((line) => line.includes('/metrics')) && lines.some((line) => line.includes('openapi.json')))
  t.same(readdirSync(join(a.home.root, 'streams')), [], 'what was deleted is gone')
  await a.untilType(asks.sessionId, 'daemon_exited')
})
