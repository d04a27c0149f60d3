/** Recovering a fleet on a machine where it cannot all go on: nobody is logged in any more, few may run at once, directories are gone. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { requireManager, root } from '../helpers/agentz.js'
import type { Talk } from '../helpers/fake-claude.js'
import { isRoot, until } from '../helpers/home.js'
import { start } from '../helpers/program.js'
import { stage } from './recover-stage.js'

requireManager()
const skip = isRoot ? false : 'needs root, for a manager of its own'

const programOf = (talk: Talk) => join(dirname(talk.dir), 'bin', 'claude')

t.test('nobody is logged in: it stops after three, and the next one goes on', { skip }, async (t) => {
  const { talk, again, recover } = await stage(t)
  const ids: string[] = []
  for (const _ of Array(5)) ids.push((await talk.asking('one')).id)
  await again()
  const program = programOf(talk)
  const well = readFileSync(program)
  writeFileSync(program, "#!/bin/sh\necho 'Not logged in · Please run /login' >&2\nexit 1\n")
  const first = recover()
  t.equal(first.status, 1)
  t.same(
    first.results.map(({ action }) => action),
    ['failed', 'failed', 'failed', 'held', 'held'],
  )
  const [, , , held, last] = first.results
  t.match(held?.why, /3 sessions of claude.*login.*tries again/)
  t.match(talk.show(held?.sessionId ?? ''), { status: 'interrupted', cause: { result: 'lost' } }, 'it is as it was')
  t.equal(talk.events(held?.sessionId ?? '').filter(({ type }) => type === 'daemon_started').length, 1)
  writeFileSync(program, well)
  const second = recover()
  t.equal(second.status, 0)
  t.same(second.results.map(({ sessionId }) => sessionId).sort(), [held?.sessionId, last?.sessionId].sort())
  t.ok(second.results.every(({ action }) => action === 'resumed'))
})

t.test('few may run at once: the rest waits for its turn', { skip }, async (t) => {
  const { talk, again, recover } = await stage(t)
  const program = programOf(talk)
  const memory = join(talk.dir, 'memory')
  mkdirSync(memory)
  writeFileSync(program, readFileSync(program, 'utf8').replace('exec', `FAKE_CLAUDE_MEMORY='${memory}' exec`))
  const ids: string[] = []
  for (const word of ['a', 'b', 'c', 'd']) ids.push((await talk.asking(word)).id)
  await again()
  writeFileSync(talk.home.config, JSON.stringify({ fleet: { sessions: 2 } }))
  const { results, status } = recover()
  t.equal(status, 0)
  t.same(results.map(({ sessionId }) => sessionId).sort(), [...ids].sort())
  t.ok(results.every(({ action }) => action === 'resumed'))
  t.equal(results.filter(({ why }) => /waits for its turn/.test(why)).length, 2)
  const of = (status: string) => talk.ls().flatMap((row) => (row.status === status ? [row.sessionId] : []))
  const asking = () => of('waiting_approval')
  await until(() => asking().length === 2, 'two ask again')
  t.equal(of('pending').length, 2)
  for (let left = ids.length; left > 0; left--) {
    await until(() => asking().length === Math.min(2, left), 'there are two at once')
    const [id = ''] = asking()
    t.equal(talk.do('approve', id).status, 0)
    await talk.untilType(id, 'session_completed')
  }
})

t.test('a working directory is gone: that one fails, with the reason, and the others go on', { skip }, async (t) => {
  const { manager, talk, again, recover } = await stage(t)
  const gone = join(talk.dir, 'gone')
  mkdirSync(gone)
  const lost = talk.run('-C', gone, 'ask one').sessionId
  await talk.untilType(lost, 'approval_request')
  const question = talk.begin('question Which?|A|B')
  await talk.untilType(question, 'input_request')
  t.equal(talk.show(question).status, 'waiting_input')
  const marked = talk.begin('--restart', 'mark', 'question Which?|A|B')
  await talk.untilType(marked, 'input_request')
  await again()
  t.ok(existsSync(join(manager.runtime, 'agentz', marked)), 'the doorbell of a daemon that was killed')
  rmSync(gone, { recursive: true })
  const { results, status } = recover()
  const actions = Object.fromEntries(results.map(({ sessionId, action }) => [sessionId, action]))
  t.same(actions, { [lost]: 'failed', [question]: 'resumed', [marked]: 'marked' })
  t.equal(status, 1)
  t.match(results.find(({ sessionId }) => sessionId === lost)?.why, /gone/)
  t.match(talk.show(marked), { status: 'interrupted', cause: { result: 'lost' } })
  t.same(recover().results, [], 'a second one finds nothing more to do')
  const bells = () => [lost, question, marked].filter((id) => existsSync(join(manager.runtime, 'agentz', id)))
  await talk.untilType(question, 'session_completed')
  await until(() => bells().length === 0, 'no doorbell of a daemon that is gone is left')
})

t.test(
  'a small fleet of all policies: each is where its policy says, in its mode, and nothing is sent twice',
  { skip },
  async (t) => {
    const bench = [process.execPath, join(root, 'scripts/bench/recover.mjs'), '10', '4', 'kill', '--spacing', '0.05']
    const { code, stdout } = await start(t, bench).ended
    t.equal(code, 0, stdout)
    t.match(stdout, /14 recovered/)
  },
)
