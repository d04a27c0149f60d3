/** An agent that lies about itself: what it writes, spoils or takes away of its own file is no way to outlive a cancel. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Agentz, type Running, requireManager, systemctl } from '../helpers/agentz.js'

requireManager()

const line = (type: string, fields: object = {}) =>
  `\n${JSON.stringify({ type, timestamp: new Date().toISOString(), by: 'daemon', epoch: 1, ...fields })}\n`
const started = { unit: 'u', pid: 1, bootId: 'b', invocationId: 'i', supervisor: 'plain', epoch: 2 }

const lies: Record<string, (session: Running) => void> = {
  'it was completed': ({ log }) => appendFileSync(log, line('session_completed')),
  'it was interrupted': ({ log }) =>
    appendFileSync(log, line('session_interrupted', { cause: { result: 'stopped', message: 'so it says' } })),
  'another supervisor has run it': ({ log }) =>
    appendFileSync(log, line('daemon_started', started) + line('session_failed', { epoch: 2, error: 'x' })),
  'its file is gone': ({ log }) => rmSync(log),
  'its file is another one': ({ log }) => writeFileSync(log, '{"type":"text"}\n'),
}

const isActive = ({ unit }: Running) => systemctl('show', '-P', 'ActiveState', unit).trim() === 'active'

t.test('what an agent says of its end does not keep it running', async (t) => {
  const [a, other] = [new Agentz(t), new Agentz(t)]
  const begin = async () => {
    const session = a.run('-a', 'command', '--', 'sh', '-c', 'echo here; exec sleep 600')
    await a.until(session.sessionId, (events) => events.some(({ content }) => content === 'here'), 'it runs')
    return session
  }
  const neighbour = await other.ticking()
  const first = await begin()
  lies['it was completed']?.(first)
  t.ok(isActive(first))
  t.match(a.do('cancel', first.sessionId), { status: 0, stderr: `${first.sessionId} completed\n` })
  t.notOk(isActive(first))
  t.match(a.do('cancel', first.sessionId), { status: 0, stderr: /was completed already/ }, 'once more: it is over now')

  const all: [string, Running][] = []
  for (const lie of Object.keys(lies)) all.push([lie, await begin()])
  for (const [lie, session] of all) lies[lie]?.(session)
  const stopped = a.do('stop', '--all', '--json')
  t.equal(stopped.status, 0, stopped.stderr)
  for (const [lie, session] of all) t.notOk(isActive(session), lie)
  t.ok(isActive(neighbour), 'a session of another home is none of its business')
  const foreign = a.do('cancel', neighbour.sessionId)
  t.match([foreign.status, isActive(neighbour)], [3, true], 'nor by its id')
})
