import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { errorCodes } from '../src/base/errors.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The house, from the ground up: a room uses rooms of lower floors, and no neighbour. */
const floors = [
  ['base'],
  ['log'],
  ['session', 'streams', 'sockets', 'delivery'],
  ['agents', 'supervisor'],
  ['daemon', 'server', 'client'],
  ['cli'],
]
const floorOf = (room: string) => floors.findIndex((rooms) => rooms.includes(room))

/** Packages that one place makes up for the flaws of, or that cost too much to be loaded by accident. */
const onlyIn: Record<string, RegExp> = {
  'proper-lockfile': /^src\/log\/lock\.ts$/,
  split2: /^src\/agents\/lines\.ts$/,
  'fastify-sse-v2': /^src\/server\/sse\.ts$/,
  fastify: /^src\/server\//,
  yargs: /^src\/cli\/[^/]+\.ts$/,
  'prom-client': /^src\/server\/metrics\//,
  pino: /^src\/base\/logger\.ts$/,
  '@agentclientprotocol/sdk': /^src\/agents\/(acp|chat)\//,
  ai: /^src\/agents\/chat\//,
  '@ai-sdk/openai-compatible': /^src\/agents\/chat\//,
}

/** Tests whose subject is not one file of the same name: what they hold together. */
const withoutTwin: Record<string, string> = {
  'test/architecture.test.ts': 'the whole of src/',
  'test/streams/races.test.ts': 'stream.ts and store.ts, where two requests or two servers meet',
  'test/packages.test.ts': 'the lock files',
  'test/readme.test.ts': 'README.md: its lines of shell',
  'test/session/foreign.test.ts': 'all that reads a log or the registry, before lines with anything in their fields',
  'test/agents/foreign.test.ts': 'normalise.ts of claude and codex, and their answers, before any JSON at all',
  'test/agents/acp/start.test.ts': 'run.ts and handshake.ts: how an agent starts, and what keeps it from it',
  'test/agents/acp/bad-input.test.ts': 'run.ts with agents that do what they should not',
  'test/cli/doors.test.ts': 'each cause and any history, told by show, ls, HTTP and SSE alike',
  'test/client/package.test.ts': 'the package as npm would publish it, seen from another one',
  'test/cli/canary.test.ts': 'mask.ts and the environment of a session: secrets, looked for everywhere',
  'test/cli/hostile.test.ts': 'run and POST /v1/sessions, with hostile prompts, names, directories and environments',
  'test/cli/poisoned.test.ts': 'every verb that reads, over files that somebody has poisoned',
  'test/server/answers.test.ts': 'routes/conversation.ts: answers to what a session asks',
  'test/helpers/manager.test.ts': 'the user manager that other tests end and start again',
  'test/server/hostile.test.ts': 'app.ts and listen.ts before other users, foreign pages and slow senders',
  'test/launchctl/keys.test.ts': 'the stand-in for launchd: the property lists that it takes',
  'test/launchctl/launchd.test.ts': 'the stand-in for launchd: what it does with jobs',
  'test/server/browser.test.ts': 'the login page of src/viewer, in a real browser',
  'test/viewer/session.test.ts': 'the page of one session of src/viewer, in a real browser',
  'test/viewer/controls.test.ts': 'what src/viewer does with a session and with the list, in a real browser',
  'test/viewer/entries.test.ts': 'what stands in a transcript of src/viewer, in a real browser',
  'test/viewer/looks.test.ts': 'the pages of src/viewer at all sizes and colours, and for those who do not see them',
  'test/viewer/tour.test.ts': 'src/viewer, as somebody uses it who has just run agentz open',
  'test/viewer/fleet.test.ts': 'the list of src/viewer, in a real browser',
  'test/server/hostile-page.test.ts': 'the guard before pages of other origins, in a real browser',
  'test/server/hostile-wire.test.ts': 'app.ts and guard.ts before requests that no browser makes',
  'test/server/streams/conformance.test.ts': 'server/streams/, by the official suite of the protocol',
  'test/server/hostile-user.test.ts': "what is the server's before another user of the machine",
  'test/server/hostile-files.test.ts': 'every route that reads, over files that somebody has poisoned',
  'test/server/hostile-output.test.ts':
    'delivery/frames.ts and delivery/ndjson.ts before lines that look like something else',
  'test/server/streams/huge.test.ts': 'streams of more than 4 GiB, over HTTP',
  'test/server/streams/clients.test.ts': 'server/streams/, by the official client',
  'test/streams/disk.test.ts': 'streams/ on a full disk',
  'test/streams/faults.test.ts': 'streams/, whose disk fails at each sync',
  'test/streams/kills.test.ts': 'streams/, whose server is killed at each call by which it writes',
  'test/log/append-faults.test.ts': 'append.ts on broken disks',
  'test/supervisor/launchd/sessions.test.ts': 'whole sessions under launchd.ts',
  'test/supervisor/queue-fleet.test.ts': 'queue.ts under the real manager, with what kills creators and reapers',
  'test/supervisor/recover-faults.test.ts': 'recover.ts where not all can go on: brake, cap, directories that are gone',
  'test/supervisor/keep-session.test.ts': 'units/keep-session.sh',
  'test/supervisor/sandbox-agents.test.ts': 'sandbox.ts around a real agent',
  'test/supervisor/start-argv.test.ts': 'startArgv of systemd.ts',
  ...Object.fromEntries(
    ['systemd', 'launchd', 'plain'].map((name) => [
      `test/supervisor/contract/${name}.test.ts`,
      `the contract, kept by ${name}`,
    ]),
  ),
  ...Object.fromEntries(
    ['claude', 'codex', 'opencode', 'gemini', 'cerebras'].map((agent) => [
      `test/agents/contract/${agent}.test.ts`,
      `the contract, kept by ${agent}`,
    ]),
  ),
}

function files(directory: string, suffix: RegExp): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : files(path, suffix)
    return suffix.test(entry.name) ? [path] : []
  })
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const sources = files('src', /\.ts$/)

interface Import {
  readonly from: string
  readonly what: string
  /** Import of types alone, which is gone at run time; it binds all the same. */
  readonly type: boolean
}

function imports(path: string): Import[] {
  const text = read(path)
  const typesAlone = new Set([...text.matchAll(/^import type\b[^']*'([^']+)'/gm)].map((match) => match[1]))
  const { importedFiles } = ts.preProcessFile(text, true, true)
  return importedFiles.map(({ fileName }) => ({ from: path, what: fileName, type: typesAlone.has(fileName) }))
}

const all = sources.flatMap(imports)
const target = ({ from, what }: Import) => normalize(join(dirname(from), what)).replace(/\.js$/, '.ts')
const inside = all.filter(({ what }) => what.startsWith('.'))
const room = (path: string) => path.split('/')[1] ?? ''

t.test('the reader of imports is not blind', async (t) => {
  t.ok(sources.length > 50, `${sources.length} files`)
  t.ok(all.length > 200, `${all.length} imports`)
  t.ok(
    all.some(({ from, what }) => from === 'src/cli/serve.ts' && what.startsWith('../server/')),
    'import() is seen too',
  )
  for (const item of inside) t.ok(existsSync(join(root, target(item))), `${item.from} imports ${item.what}`)
})

t.test('a room uses rooms of lower floors only', async (t) => {
  t.same(
    [...new Set(sources.map(room))].filter((name) => floorOf(name) < 0),
    [],
    'every room has its floor',
  )
  const wrong = inside.filter((item) => {
    const [from, to] = [room(item.from), room(target(item))]
    return from !== to && floorOf(to) >= floorOf(from)
  })
  t.same(wrong, [])
  t.same(
    inside.filter((item) => !target(item).startsWith('src/')),
    [],
    'nothing leaves src/',
  )
  const upstairs = inside.filter((item) => room(item.from) === 'cli' && room(target(item)) === 'server')
  t.same(
    upstairs.filter(({ from }) => from !== 'src/cli/serve.ts'),
    [],
    'the command line reaches the server for serve alone',
  )
  t.same(
    inside.filter((item) => room(target(item)) === 'cli' && room(item.from) !== 'cli'),
    [],
    'nothing imports the command line',
  )
})

t.test('the server itself stays tiny', async (t) => {
  // Without its parts, each of which is loaded when somebody asks for it.
  const core = sources.filter((path) => /^src\/server\/(routes\/)?[^/]+$/.test(path))
  const lines = core.reduce((sum, path) => sum + read(path).split('\n').length - 1, 0)
  t.ok(core.length > 10)
  t.ok(lines <= 1000, `${lines} lines, and 1,000 at most`)
})

/** src/server/NAME/ with a part.ts in it is loaded by a row of lazy.ts, when somebody asks for it. */
t.test('parts of the server are reached by import() alone, and know none of each other', async (t) => {
  const parts = sources.flatMap((path) => /^(src\/server\/\w+\/)part\.ts$/.exec(path)?.[1] ?? [])
  t.ok(parts.length > 0)
  const lazily = (path: string) => [...read(path).matchAll(/\bimport\('([^']+)'\)/g)].map((match) => match[1] ?? '')
  for (const part of parts) {
    t.ok(lazily('src/server/lazy.ts').includes(`./${part.split('/')[2]}/part.js`), `lazy.ts has a row for ${part}`)
    const users = inside.filter((item) => target(item).startsWith(part) && !item.from.startsWith(part) && !item.type)
    t.same(
      users.filter(({ from, what }) => from !== 'src/server/lazy.ts' || !lazily(from).includes(what)),
      [],
      `${part} is imported by nothing else`,
    )
  }
})

t.test('the client of other programs takes types alone, and what needs no package', async (t) => {
  const loaded = all.filter(({ from, type }) => room(from) === 'client' && !type)
  const outside = loaded.filter((item) => !item.what.startsWith('.') || room(target(item)) !== 'client')
  const allowed = ['node:http', 'src/base/errors.ts', 'src/base/paths.ts']
  t.same([...new Set(outside.map((item) => (item.what.startsWith('.') ? target(item) : item.what)))].sort(), allowed)
  t.same(
    loaded
      .filter(({ what }) => what === './socket.js')
      .map(({ from }) => read(from).includes("await import('./socket.js')")),
    [true],
    'what needs Node is loaded where it is used alone',
  )
})

t.test('nothing imports itself in a circle', async (t) => {
  const edges = new Map<string, string[]>()
  for (const item of inside.filter(({ type }) => !type)) {
    edges.set(item.from, [...(edges.get(item.from) ?? []), target(item)])
  }
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
    if (done.has(path) || trail.includes(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of sources) visit(path, [])
  t.same(circles, [])
})

t.test('packages with one place', async (t) => {
  for (const [name, place] of Object.entries(onlyIn)) {
    const users = all.filter(({ what }) => what === name || what.startsWith(`${name}/`)).map(({ from }) => from)
    t.ok(users.length > 0, `${name} is used, or this rule can go`)
    t.same(
      users.filter((from) => !place.test(from)),
      [],
      `${name} is known in ${place.source} only`,
    )
  }
  const { dependencies } = JSON.parse(read('package.json'))
  const outside = all.filter(({ what }) => !what.startsWith('.') && !what.startsWith('node:'))
  const names = new Set(
    outside.map(({ what }) =>
      what
        .split('/')
        .slice(0, what.startsWith('@') ? 2 : 1)
        .join('/'),
    ),
  )
  t.same([...names].sort(), Object.keys(dependencies).sort(), 'what is imported is what package.json names')
})

t.test('files say what they are for, and stay short', async (t) => {
  for (const path of sources) {
    const text = read(path)
    const isVerb = path.startsWith('src/cli/') && /^export const verb\b/m.test(text)
    const begins = isVerb ? /^(\/\*\*|\/\/|import )/ : /^(\/\*\*|\/\/)/
    if (!begins.test(text)) t.fail(`${path} does not begin with what it is for`)
  }
  for (const path of [...sources, ...files('test', /\.(ts|mjs)$/)]) {
    const length = read(path).split('\n').length - 1
    if (length > 300) t.fail(`${path} has ${length} lines`)
  }
  t.pass('all were looked at')
})

t.test('test/ mirrors src/', async (t) => {
  for (const path of files('test', /\.test\.ts$/)) {
    const [, place = '', name = ''] = /^test\/(?:(\w+)\/)?(.+)\.test\.ts$/.exec(path) ?? []
    const twins = sources.filter((source) => room(source) === place && source.endsWith(`/${name}.ts`))
    // The rows of the survival table: faults, each of which meets many rooms.
    if (place === 'survival') continue
    t.ok(twins.length > 0 || path in withoutTwin, `${path} tests a file of its name, or says here what it tests`)
  }
  for (const path of Object.keys(withoutTwin)) t.ok(existsSync(join(root, path)), `${path} exists, or its line can go`)
})

/** README.md: the first table whose head is "| Code | ...": | `CODE` | sentence | exit status | HTTP status | */
t.test('the error table of the README', async (t) => {
  const lines = read('README.md').split('\n')
  const head = lines.findIndex((line) => /^\| *Code *\|/.test(line))
  t.ok(head >= 0, 'README.md has a table that begins with "| Code |"')
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'))
  const table = lines.slice(head + 2, end < 0 ? undefined : end)
  const codes = table.map((line) => /^\| *`([A-Z_]+)` *\|/.exec(line)?.[1] ?? `no code in: ${line}`)
  t.same(codes, Object.keys(errorCodes), 'the codes of errors.ts, in its order')
  for (const line of table) {
    const cells = line.split('|').map((cell) => cell.trim())
    const code = cells[1]?.replaceAll('`', '') as keyof typeof errorCodes
    const error = errorCodes[code]
    if (error === undefined) continue
    t.ok(cells.includes(String(error.exit)), `${code}: a cell says exit status ${error.exit}`)
    t.ok(cells.includes(String(error.http)), `${code}: a cell says HTTP status ${error.http}`)
  }
})
