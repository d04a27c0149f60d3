/** What npm would publish, in a place where nothing else is: the client's README sample as printed, and TypeScript that is strict. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Agentz, root } from '../helpers/agentz.js'
import { tempDir } from '../helpers/home.js'
import { Server } from '../survival/soak/http.js'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const sample = [...readme.matchAll(/```js\n([\s\S]*?)```/g)]
  .map(([, code = '']) => code)
  .find((code) => /agentz\/client/.test(code))

/** Types that say what is what: each line that expects an error fails the compiler if there is none. */
const typed = `
import { Agentz, AgentzError, type ErrorCode, type Item, type Session, type SessionEvent, type Status } from 'agentz/client'

const agentz = new Agentz({ baseUrl: 'http://127.0.0.1:4201', token: async () => 'x', fetch })
export async function story(): Promise<Status> {
  const { sessionId } = await agentz.spawn({ agentType: 'demo', prompt: 'x', workingDir: '/', limits: { memory: '4G' } })
  // @ts-expect-error there is no such field
  void agentz.spawn({ agentType: 'demo', workingDir: '/', nonsense: 1 })
  for await (const { event, damaged, reset, offset } of agentz.events(sessionId, { from: 'end', signal: AbortSignal.timeout(1) })) {
    const at: number = damaged?.at ?? offset
    if (reset !== undefined) console.log(reset.why, at)
    if (event?.type === 'approval_request') await agentz.deny(sessionId, event.requestId, { reason: event.tool })
    // @ts-expect-error it is narrowed to what has a content
    if (event?.type === 'turn_started') event.content
    if (event?.type === 'text') event.content?.trim()
  }
  const session: Session = await agentz.wait(sessionId)
  for (const { requestId, tool } of session.approvals) await agentz.approve(sessionId, requestId, { always: tool === 'Bash' })
  return session.status
}
export const codeOf = (error: unknown): ErrorCode | undefined => (error instanceof AgentzError ? error.code : undefined)
export type Told = Item<SessionEvent>
`

t.test('from a foreign place', { timeout: 120_000 }, async (t) => {
  const place = tempDir(t)
  const installed = join(place, 'node_modules', 'agentz')
  mkdirSync(installed, { recursive: true })
  // Its scripts would build dist/ anew under other tests; what they do besides is done here.
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', place], { cwd: root })
  const [{ filename }] = JSON.parse(packed.toString())
  execFileSync('tar', ['-xzf', join(place, filename), '-C', installed, '--strip-components=1'])
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const out = join(installed, 'dist', 'types')
  const declared = spawnSync(tsc, ['-p', 'tsconfig.types.json', '--outDir', out], { cwd: root, encoding: 'utf8' })
  t.match(declared, { status: 0, stdout: '' })
  t.match(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts, {
    types: 'tsc -p tsconfig.types.json',
    prepack: /npm run types/,
  })

  await t.test('types', async (t) => {
    // What npm installs beside it, for its types.
    for (const name of ['zod', '@types', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(place, 'node_modules', name))
    }
    writeFileSync(join(place, 'typed.mts'), typed)
    // Declarations that could not be understood would be `any`, which none of what is expected to fail would.
    const args = [
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--types',
      'node',
    ]
    t.match(spawnSync(tsc, [...args, 'typed.mts'], { cwd: place, encoding: 'utf8' }), { status: 0, stdout: '' })
  })

  await t.test('the sample of the README, as printed', async (t) => {
    const a = new Agentz(t, undefined, { AGENTZ_SUPERVISOR: 'plain', NODE_OPTIONS: '' })
    const server = new Server(a)
    t.teardown(() => server.end())
    await server.insist('GET', '/healthz')
    writeFileSync(join(place, 'sample.mjs'), sample ?? '')
    const options = { cwd: place, env: a.env, encoding: 'utf8', timeout: 60_000 } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, ['sample.mjs'], options)
    t.match({ status, stderr }, { status: 0, stderr: '' })
    t.match(stdout, /scripted demonstration/)
    t.match(a.ls(), [{ status: 'completed', agentType: 'demo' }])
    t.ok(readFileSync(join(place, 'agentz-demo.txt'), 'utf8').length > 0, 'what was approved was done')
  })

  await t.test('nothing of Node is loaded for a browser', async (t) => {
    const directory = join(installed, 'dist', 'client')
    const loaded = ['client.js']
    for (const name of loaded) {
      const text = readFileSync(join(directory, name), 'utf8')
      const names = [...text.matchAll(/^(?:import|export)\b[^"'(]*["']([^"']+)["']|^} from ["']([^"']+)["']/gm)]
      loaded.push(...names.map(([, name, same]) => (name ?? same ?? '').replace(/^\.\//, '')))
    }
    t.equal(loaded.length, 2, `what it shares with the socket's part, and nothing else: ${loaded}`)
    t.ok(readdirSync(directory).some((name) => name.startsWith('socket')))
  })
})
