/** Every verb that reads, over files that somebody has poisoned: a clear error or a harmless answer, and soon. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { lines, requireManager } from '../helpers/agentz.js'
import { newHome, tempDir } from '../helpers/home.js'
import { poisonRegistry, poisonSessions, raw } from '../helpers/poison.js'
import { program, runProgram } from '../helpers/program.js'
import { newSession } from '../helpers/session.js'

requireManager()

/** Calls verbs in one process, as the command line does; tells what they print and throw. */
const caller = `
import { toAgentzError } from './src/base/errors.js'
const verbs = {}
for (const [name, load] of Object.entries({
  ls: () => import('./src/cli/ls.js'), show: () => import('./src/cli/show.js'), logs: () => import('./src/cli/logs.js'),
  wait: () => import('./src/cli/wait.js'), approve: () => import('./src/cli/approve.js'), answer: () => import('./src/cli/answer.js'),
  recover: () => import('./src/cli/recover.js'), append: () => import('./src/cli/append.js'), token: () => import('./src/cli/token.js'),
})) verbs[name] = (await load()).verb
const write = process.stdout.write.bind(process.stdout)
let text = ''
const take = (chunk, ...rest) => { text += Buffer.from(chunk).toString(); rest.find((each) => typeof each === 'function')?.(); return true }
process.stdout.write = take
process.stderr.write = take
for (const [name, args, home] of JSON.parse(process.argv[2])) {
  process.env.AGENTZ_HOME = home
  text = ''
  const began = performance.now()
  let code = ''
  try { await verbs[name].handle(args, []) } catch (thrown) { const error = toAgentzError(thrown); code = error.code; text += code === 'INTERNAL' ? thrown.stack : '' }
  write(JSON.stringify({ name, args, code, text, ms: Math.round(performance.now() - began), polluted: {}.polluted === true }) + '\\n')
}
`

interface Call {
  readonly name: string
  readonly args: { id?: string; text?: string[] }
  readonly code: string
  readonly text: string
  readonly ms: number
  readonly polluted: boolean
}

async function call(t: Test, calls: readonly unknown[]): Promise<Call[]> {
  // Verbs ask for the package that they belong to.
  const directory = tempDir(t)
  writeFileSync(join(directory, 'package.json'), '{"version":"0"}')
  const ended = await runProgram(t, await program(directory, caller), JSON.stringify(calls))
  t.equal(ended.code, 0, ended.stderr)
  const all: Call[] = lines(ended.stdout).map((line) => JSON.parse(line))
  t.equal(all.length, calls.length)
  return all
}

t.test('sessions and registry', async (t) => {
  const home = newHome(t)
  const found = poisonSessions(home)
  poisonRegistry(home)
  const calls = [
    ...[{}, { wide: true }, { json: true }, { quiet: true }].map((args) => ['ls', args]),
    ['recover', { dryRun: true }],
    ...[...found.keys()].flatMap((id) => [
      ...[{}, { json: true }].map((args) => ['show', { id, ...args }]),
      ...[{}, { lines: '2' }].map((args) => ['logs', { id, ...args }]),
      ['wait', { id: [id], timeout: '0.01', json: true }],
    ]),
  ]
  const all = await call(
    t,
    calls.map((each) => [...each, home.root]),
  )
  for (const { name, args, code, text, ms, polluted } of all) {
    const what = `${name} ${JSON.stringify(args)}: ${found.get([args.id].flat()[0] ?? '') ?? ''}`
    t.not(code, 'INTERNAL', `${what}\n${text.slice(0, 400)}`)
    t.notMatch(text, raw, what)
    t.ok(ms < 10_000, `${what}: ${ms} ms`)
    t.notOk(polluted, what)
  }
})

/** Homes, each with something else in the place of one of its files, that leads to `target`. */
const strangers: Record<string, (path: string, target: string) => void> = {
  'a link': (path, target) => symlinkSync(target, path),
  'a link to nothing': (path, target) => symlinkSync(`${target}-not`, path),
  'a pipe': (path) => void spawnSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
}

t.test('what stands in the place of a file', async (t) => {
  const directory = tempDir(t)
  const target = join(directory, 'target')
  writeFileSync(target, 'kept', { mode: 0o644 })
  const calls: [name: string, args: object, home: string, what: string][] = []
  for (const [kind, place] of Object.entries(strangers)) {
    for (const what of ['registry', 'config', 'env', 'token', 'checkpoint', 'mark', 'log'] as const) {
      const home = newHome(t)
      const { sessionId: id } = await newSession(home)
      const path = what === 'log' ? sessionLog(home, id) : home[what]
      rmSync(path, { force: true })
      place(path, target)
      const line = JSON.stringify({ type: 'cancel_requested' })
      for (const [name, args] of [
        ['ls', {}],
        ['show', { id }],
        ['logs', { id }],
        ['logs', { id, raw: true }],
        ['append', { id, event: line }],
        ['token', {}],
      ] as const)
        calls.push([name, args, home.root, `${kind} for ${what}`])
    }
  }
  const all = await call(t, calls)
  for (const [index, { name, code, text, ms }] of all.entries()) {
    const what = `${calls[index]?.[3]}: ${name}`
    t.not(code, 'INTERNAL', `${what}\n${text.slice(0, 400)}`)
    t.notMatch(text, /kept/, what)
    t.ok(ms < 10_000, `${what}: ${ms} ms`)
  }
  t.equal(readFileSync(target, 'utf8'), 'kept', 'and nothing is written there')
  t.equal(statSync(target).mode & 0o777, 0o644)
  t.notOk(existsSync(`${target}-not`))
  const codes = new Set(all.map(({ code }) => code))
  for (const code of ['', 'HOME_UNUSABLE', 'CONFIG_INVALID'])
    t.ok(codes.has(code), `some come to ${code || 'a good end'}`)
})
