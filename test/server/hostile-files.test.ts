/** Poisoned files through HTTP: a clear answer or a clear refusal, soon, of that session alone, and never what stands in another file. */
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Home, sessionLog, streamsDirectory } from '../../src/base/paths.js'
import { hashOf, placeOf } from '../../src/session/cache.js'
import { VERSION } from '../../src/session/checkpoint.js'
import { isRoot, tempDir } from '../helpers/home.js'
import { ESCAPES, poisonRegistry, poisonSessions } from '../helpers/poison.js'
import { type Answer, get, newServer, newSession, SseClient, send } from './helpers.js'

const text = { 'content-type': 'text/plain' }

/** What a client may be told of a file that cannot be read; nothing that is a defect of ours. */
const told = new Set([200, 400, 404, 409])

const LIMIT_MS = 30_000

async function ask(t: Test, socket: string, path: string, what: string): Promise<Answer> {
  const began = performance.now()
  const answer = await get(socket, path)
  const ms = performance.now() - began
  t.ok(ms < LIMIT_MS, `${what}: ${path} took ${ms.toFixed(0)} ms`)
  if (answer.status >= 400) {
    const { error } = JSON.parse(answer.body.toString())
    t.not(error.code, 'INTERNAL', `${what}: ${path} ${answer.body.toString().slice(0, 300)}`)
    t.match(error, { code: String, message: String, hint: String })
  }
  return answer
}

t.test('poisoned sessions and registry', async (t) => {
  const server = await newServer(t)
  const { home, socketPath } = server
  const found = poisonSessions(home)
  poisonRegistry(home)
  const good = await newSession(home, { title: 'whole' })
  for (const path of ['/v1/sessions', '/v1/sessions?limit=3', '/v1/approvals', '/v1/events?follow=0']) {
    const answer = await ask(t, socketPath, path, 'all of them')
    t.equal(answer.status, 200, path)
    if (!path.includes('follow')) t.ok(JSON.parse(answer.body.toString()))
  }
  for (const [id, what] of found) {
    const file = readFileSync(sessionLog(home, id))
    for (const rest of ['', '/events?follow=0', '/events?follow=0&offset=tail']) {
      const answer = await ask(t, socketPath, `/v1/sessions/${id}${rest}`, what)
      t.ok(told.has(answer.status), `${what}: ${rest} ${answer.status}`)
      if (rest === '' && answer.status === 200) t.equal(JSON.parse(answer.body.toString()).sessionId, id, what)
      if (rest !== '' && answer.status === 200) t.ok(file.includes(answer.body), `${what}: bytes of its own file`)
    }
    t.ok(told.has((await ask(t, socketPath, `/v1/stream/sessions/${id}?offset=-1`, what)).status), what)
    const client = new SseClient(socketPath, `/v1/sessions/${id}/events`)
    await client.opened
    t.ok(told.has(client.status), `${what}: SSE ${client.status}`)
    client.close()
  }
  t.match(JSON.parse((await get(socketPath, `/v1/sessions/${good.sessionId}`)).body.toString()), { title: 'whole' })
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})

/** What may stand in the place of a file; each leads to `target`, which is nobody's business. */
const strangers: Record<string, (path: string, target: string) => void> = {
  'a link': (path, target) => symlinkSync(target, path),
  'a link in a circle': (path) => symlinkSync(path, path),
  'a link to a device': (path) => symlinkSync('/dev/zero', path),
  'a pipe': (path) => void spawnSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
  ...(isRoot && {
    'a device': (path: string) => void spawnSync('mknod', [path, 'c', '1', '5']),
    "another user's file, by a hard link": (path: string, target: string) => {
      const theirs = `${target}-theirs`
      writeFileSync(theirs, readFileSync(target))
      chownSync(theirs, 65534, 65534)
      linkSync(theirs, path)
      rmSync(theirs)
    },
  }),
}

t.test('what stands in the place of a log, the registry or what is derived from it', async (t) => {
  const target = join(tempDir(t), 'target')
  writeFileSync(target, '{"type":"text","content":"kept"}\n')
  for (const [kind, place] of Object.entries(strangers)) {
    for (const what of ['log', 'registry', 'checkpoint', 'mark', 'config', 'env'] as const) {
      const server = await newServer(t)
      const { home, socketPath } = server
      const [{ sessionId: id }, other] = [await newSession(home), await newSession(home, { title: 'whole' })]
      const path = what === 'log' ? sessionLog(home, id) : home[what]
      rmSync(path, { force: true })
      place(path, target)
      const about = `${kind} for ${what}`
      const whole = `/v1/sessions/${other.sessionId}`
      const asked = {
        log: [`/v1/sessions/${id}`, `/v1/sessions/${id}/events?follow=0`, `/v1/stream/sessions/${id}?offset=-1`],
        registry: ['/v1/sessions', '/v1/approvals', '/v1/events?follow=0', '/v1/stream/__registry__?offset=-1'],
      }
      for (const path of [...asked.log, ...asked.registry, whole]) {
        const answer = await ask(t, socketPath, path, about)
        t.notMatch(answer.body.toString(), /kept/, `${about}: ${path}`)
        const isIn = (what === 'log' || what === 'registry') && asked[what].includes(path)
        t.equal(answer.status, isIn ? 500 : 200, `${about}: ${path}, and nothing else suffers`)
      }
      await server.close()
    }
  }
  t.equal(readFileSync(target, 'utf8'), '{"type":"text","content":"kept"}\n')
})

/** A checkpoint that fits its registry, with a row that nobody has folded. */
function forge(home: Home, row: string): void {
  const fd = openSync(home.registry, 'r')
  const head = { version: VERSION, ...placeOf(fd, fstatSync(fd).size), damaged: 0, ignored: 0, rows: 1 }
  closeSync(fd)
  const body = `${row}\n`
  writeFileSync(home.checkpoint, `${JSON.stringify({ ...head, rowsHash: hashOf(body) })}\n${body}`, { mode: 0o600 })
}

const dates = '"agentType":"x","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"'
const lies = {
  'no JSON': '"agentType":}',
  'two rows in one': `${dates},"title":"x"}]}, {"sessionId":"000000000000"}`,
  'another id': `${dates},"title":"t","sessionId":"../../../etc/passwd"}`,
  escapes: `${dates},"title":${JSON.stringify(ESCAPES)}}`,
  'wrong kinds':
    '"agentType":{},"createdAt":[],"updatedAt":7,"title":{"toString":0},"labels":[7],"pid":"x","cause":"x","queuedAt":{}}',
}

// Whoever can make one can write to the registry too; it must not do more harm than that.
t.test('a checkpoint whose hashes are right and whose rows are lies', async (t) => {
  const server = await newServer(t)
  const { home, socketPath } = server
  const { sessionId: id } = await newSession(home, { title: 'whole' })
  for (const status of ['running', 'pending']) {
    for (const [what, rest] of Object.entries(lies)) {
      const about = `${status}, ${what}`
      forge(home, `{"sessionId":"${id}","status":"${status}",${rest}`)
      await ask(t, socketPath, '/v1/approvals', about)
      const answer = await ask(t, socketPath, '/v1/sessions', about)
      const { sessions = [], error } = JSON.parse(answer.body.toString())
      if (answer.status === 200) for (const { sessionId } of sessions) t.equal(sessionId, id, about)
      else t.match(error, { code: 'HOME_UNUSABLE', hint: /Remove cache/ }, about)
      const own = JSON.parse((await ask(t, socketPath, `/v1/sessions/${id}`, about)).body.toString())
      t.match(own, { sessionId: id, title: 'whole' }, `${about}: its own file is the truth`)
    }
  }
  rmSync(home.checkpoint)
  const { sessions } = JSON.parse((await get(socketPath, '/v1/sessions')).body.toString())
  t.match(sessions, [{ sessionId: id, title: 'whole' }], 'taken away, nothing of it is left')
})

/** Sidecars that no server of ours has written: lines of a wrong kind, numbers out of range, names of others. */
const sidecars: Record<string, (name: string) => string> = {
  nothing: () => '',
  noise: () => '\0\xff{]\n{}\n[]\n',
  'no stream': () => '{"type":"append","from":0,"to":3}\n',
  'the name of another one': () =>
    '{"type":"stream","id":"aaaaaaaaaaaa","name":"../../token","contentType":"application/json","to":0}\n',
  'wrong kinds': (name) =>
    `{"type":"stream","id":7,"name":"${name}","contentType":["x"],"to":"x","ttl":{},"forks":[[1]],"fork":{"from":1}}\n`,
  'a time with line ends': (name) =>
    `{"type":"stream","id":"aaaaaaaaaaaa","name":"${name}","contentType":"text/plain","expiresAt":"2090\\r\\nX: y","to":0}\n`,
  'a type with line ends': (name) =>
    `{"type":"stream","id":"aaaaaaaaaaaa","name":"${name}","contentType":"text/html\\r\\nset-cookie: a=b","to":0}\n`,
  'numbers out of range': (name) =>
    `{"type":"stream","id":"aaaaaaaaaaaa","name":"${name}","contentType":"text/plain","to":1e300,"ttl":-1e300}\n{"type":"append","from":-5,"to":9007199254740993}\n`,
  'a fork of what is not there': (name) =>
    `{"type":"stream","id":"aaaaaaaaaaaa","name":"${name}","contentType":"text/plain","to":0,"fork":{"from":"../../token","id":"x","offset":-1}}\n`,
  'deep JSON': (name) => `{"type":"stream","name":"${name}","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`,
  'names that every object has': (name) =>
    `{"type":"stream","id":"aaaaaaaaaaaa","name":"${name}","contentType":"text/plain","to":0,"__proto__":{"polluted":true}}\n{"type":"append","from":0,"to":0,"producers":[["__proto__",0,7]]}\n`,
}

t.test('poisoned sidecars of streams, and what stands in the place of their files', async (t) => {
  const server = await newServer(t)
  const { home, socketPath } = server
  const directory = streamsDirectory(home)
  const put = (name: string) => send(socketPath, `/v1/stream/${name}`, 'kept', text, 'PUT')
  t.equal((await put('first')).status, 201)
  const target = join(home.root, 'target')
  writeFileSync(target, 'SECRET')
  const names: Record<string, string> = {}
  for (const [at, [what, text]] of Object.entries(sidecars).entries()) {
    const name = `evil${at}`
    names[name] = what
    writeFileSync(join(directory, `${name}.meta.ndjson`), text(name), { mode: 0o600 })
    writeFileSync(join(directory, `${name}.bin`), 'data', { mode: 0o600 })
  }
  for (const [at, [kind, place]] of Object.entries(strangers).entries()) {
    for (const file of ['meta.ndjson', 'bin']) {
      const name = `place${at}${file[0]}`
      names[name] = `${kind} for its ${file}`
      await put(name)
      rmSync(join(directory, `${name}.${file}`))
      place(join(directory, `${name}.${file}`), target)
    }
  }
  await server.close()
  const again = await newServer(t, { home })
  for (const [name, what] of Object.entries(names)) {
    for (const path of [`/v1/stream/${name}?offset=-1`, `/v1/stream/${name}?offset=now`]) {
      const answer = await ask(t, again.socketPath, path, what)
      t.notMatch(answer.body.toString(), /SECRET/, `${what}: ${path}`)
      t.equal(answer.headers['set-cookie'], undefined)
    }
    for (const [method, body] of [['HEAD'], ['POST', 'x'], ['PUT', 'x'], ['DELETE']] as const) {
      const answer = await send(again.socketPath, `/v1/stream/${name}`, body, text, method)
      t.notMatch(
        answer.body.toString(),
        /INTERNAL|SECRET/,
        `${what}: ${method} ${answer.body.toString().slice(0, 300)}`,
      )
    }
  }
  t.equal(readFileSync(target, 'utf8'), 'SECRET')
  t.equal((await get(again.socketPath, '/v1/stream/first?offset=-1')).body.toString(), 'kept', 'the others are whole')
})
