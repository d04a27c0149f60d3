/** Every verb that reads, over files that somebody has poisoned: a clear error or a harmless answer, and soon. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lines, requireManager } from '../helpers/agentz.js'
import { newHome, tempDir } from '../helpers/home.js'
import { poisonRegistry, poisonSessions, raw } from '../helpers/poison.js'
import { program, runProgram } from '../helpers/program.js'

requireManager()

/** Calls verbs in one process, as the command line does; tells what they print and throw. */
const caller = `
import { toAgentzError } from './src/base/errors.js'
const verbs = {}
for (const [name, load] of Object.entries({
  ls: () => import('./src/cli/ls.js'), show: () => import('./src/cli/show.js'), logs: () => import('./src/cli/logs.js'),
  wait: () => import('./src/cli/wait.js'), approve: () => import('./src/cli/approve.js'), answer: () => import('./src/cli/answer.js'),
  recover: () => import('./src/cli/recover.js'),
})) verbs[name] = (await load()).verb
const write = process.stdout.write.bind(process.stdout)
let text = ''
const take = (chunk, ...rest) => { text += Buffer.from(chunk).toString(); rest.find((each) => typeof each === 'function')?.(); return true }
process.stdout.write = take
process.stderr.write = take
for (const [name, args] of JSON.parse(process.argv[2])) {
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
  process.env.AGENTZ_HOME = home.root
  // Verbs ask for the package that they belong to.
  const directory = tempDir(t)
  writeFileSync(join(directory, 'package.json'), '{"version":"0"}')
  const path = await program(directory, caller)
  const ended = await runProgram(t, path, JSON.stringify(calls))
  t.equal(ended.code, 0, ended.stderr)
  const all: Call[] = lines(ended.stdout).map((line) => JSON.parse(line))
  t.equal(all.length, calls.length)
  for (const { name, args, code, text, ms, polluted } of all) {
    const what = `${name} ${JSON.stringify(args)}: ${found.get([args.id].flat()[0] ?? '') ?? ''}`
    t.not(code, 'INTERNAL', `${what}\n${text.slice(0, 400)}`)
    t.notMatch(text, raw, what)
    t.ok(ms < 10_000, `${what}: ${ms} ms`)
    t.notOk(polluted, what)
    if (ms > 1000) console.log(what, ms)
  }
})
