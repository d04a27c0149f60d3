/** Sessions of all kinds under a manager that ends, is killed, or goes with its machine, and what a recover makes of them. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { requireManager } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { stage } from './recover-stage.js'

requireManager()

for (const how of ['end', 'kill'] as const) {
  t.test(`the manager was ${how === 'end' ? 'ended' : 'killed'}`, async (t) => {
    const { manager, talk, recover } = await stage(t)
    const file = join(talk.dir, 'release')
    const flags = ['--permission-mode', 'bypassPermissions']
    const { id: busy } = await talk.busy(...flags)
    const { id: asking } = await talk.asking('one')
    const marked = talk.begin('--restart', 'mark', `hold ${file}`)
    await talk.untilType(marked, 'message_accepted')
    const program = await talk.ticking()
    const again = await talk.ticking('--restart', 'rerun')
    const over = await talk.over('say hello')
    const damaged = talk.begin(`hold ${file}`)
    await talk.untilType(damaged, 'message_accepted')
    await manager[how]()
    await manager.start()
    writeFileSync(sessionLog(talk.home, damaged), 'no json at all\n')

    const before = talk.registry().length
    const plan = recover('--dry-run')
    const wanted = { [busy]: 'resume', [asking]: 'resume', [marked]: 'mark', [program.sessionId]: 'mark' }
    t.match(plan.actions, { ...wanted, [again.sessionId]: 'resume', [damaged]: 'failed' })
    t.notOk(over in plan.actions, 'what has ended is left alone')
    t.equal(talk.registry().length, before, 'a plan changes nothing')

    const done = recover()
    const got = { [busy]: 'resumed', [asking]: 'resumed', [marked]: 'marked', [program.sessionId]: 'marked' }
    t.match(done.actions, { ...got, [again.sessionId]: 'resumed', [damaged]: 'failed' })
    t.equal(done.status, 1, 'one could not be brought back')
    t.equal(talk.show(marked).status, 'interrupted')
    t.equal(talk.show(marked).cause?.result, how === 'end' ? 'log-out' : 'lost')
    const ends = talk.events(marked).filter(({ type }) => type === 'session_interrupted')
    t.equal(ends.length, 1, 'marked once')
    t.ok(talk.registry(busy).some(({ type, action }) => type === 'session_recovery' && action === 'resumed'))

    await talk.until(busy, (all) => all.some(({ type }) => type === 'session_completed'), 'the busy one goes on')
    const sent = talk.events(busy).flatMap(({ type, messageId }) => (type === 'message_sent' ? [messageId] : []))
    t.equal(sent.filter((id) => id === 'prompt').length, 1, 'the prompt was sent once')
    t.equal(sent.length, 2, 'and it was asked to go on once')
    const modes = (start: number) =>
      talk
        .events(busy)
        .flatMap(({ permissionMode, epoch }) => (permissionMode && epoch === start ? [permissionMode] : []))
    t.same(modes(2), modes(1), 'in the same permission modes as before')
    t.match(recover().actions, { [damaged]: 'failed' })
    t.same(Object.keys(recover().actions), [damaged], 'a second one finds nothing more')
  })
}

t.test('nothing is left to be said', async (t) => {
  const { manager, talk, recover } = await stage(t)
  const { id } = await talk.busy()
  await manager.kill()
  const [start] = talk.events(id).filter(({ type }) => type === 'daemon_started')
  const end = { type: 'turn_ended', by: 'agent', epoch: start?.epoch, turn: 1, reason: 'completed' }
  appendFileSync(sessionLog(talk.home, id), `\n${JSON.stringify({ timestamp: new Date().toISOString(), ...end })}\n`)
  await manager.start({ bootId: '00000000-0000-4000-8000-000000000000' })
  t.match(recover().results, [{ sessionId: id, action: 'marked', why: /turn had ended/ }])
})

t.test('two at once, a directory that is gone, and a cancel that nobody heard', async (t) => {
  const { manager, talk, recover } = await stage(t)
  const { id } = await talk.busy()
  const gone = join(talk.dir, 'gone')
  const lost = talk.begin(`hold ${gone}/x`)
  await talk.untilType(lost, 'message_accepted')
  await manager.kill()
  const cancel = `\n${JSON.stringify({ type: 'cancel_requested', by: 'user' })}\n`
  appendFileSync(sessionLog(talk.home, lost), cancel)
  await manager.start()
  rmSync(gone, { recursive: true, force: true })
  const both = [0, 1].map(() => talk.spawn(['recover', '--json']))
  const ends = both.map((child) => new Promise((resolve) => child.once('close', resolve)))
  await Promise.all(ends)
  const resumed = talk.events(id).filter(({ type }) => type === 'session_recovery')
  t.match(resumed, [{ action: 'resumed' }])
  t.equal(resumed.length, 1)
  t.equal(talk.show(lost).status, 'cancelled')
  t.same(recover().results, [])
})

t.test('bad input', async (t) => {
  const { talk } = await stage(t)
  for (const bad of ['x', '-1', '', '1e9', 'NaN']) {
    const { status, stderr } = talk.do('recover', `--spacing=${bad}`)
    t.equal(status, 2, bad)
    t.match(stderr, /--spacing/)
  }
  t.equal(talk.do('recover', '--how').status, 0)
  await until(() => talk.do('recover').stderr.includes('nothing to recover'), 'there is nothing')
})
