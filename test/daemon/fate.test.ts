/** Why nothing more follows: the start limit, or the last end itself. */
import t from 'tap'
import { givenUp, stoppedWith } from '../../src/daemon/fate.js'

const now = Date.parse('2026-01-01T12:00:00.000Z')
const ago = (...seconds: number[]) => seconds.map((each) => now - each * 1000)
const five = ago(20, 15, 10, 5, 1)

t.test('systemd gives up', async (t) => {
  const killed = { result: 'signal', code: 'killed', status: 'KILL' }
  t.match(givenUp(killed, five, now), {
    result: 'start-limit-hit',
    status: 'KILL',
    message: /the last one ended by signal/,
  })
  t.same(givenUp(killed, five.slice(1), now), killed, 'four runs are no limit')
  t.match(givenUp(killed, ago(99_999, 90_000, 80_000, 1, 0), now), { result: 'start-limit-hit' }, 'the clock was set')
  for (const status of [64, 65, 77, 78]) {
    const final = { result: 'exit-code', code: 'exited', status }
    t.same(givenUp(final, five, now), final, `${status} is not tried again, whatever was before`)
  }
  t.match(givenUp({ result: 'exit-code', code: 'exited', status: 70 }, five, now), {
    result: 'start-limit-hit',
    status: 70,
  })
  const slow = { result: 'timeout', code: 'killed', status: 'KILL' }
  t.match(givenUp(slow, five, now), { result: 'start-limit-hit' })
  t.same(givenUp(slow, ago(9000, 8000, 7000, 6000, 5000), now), slow, 'it did not stop in time, long after its starts')
  t.match(givenUp({ result: 'of the future' }, [], now), { result: 'unknown' })
})

t.test('log-out or shutdown', async (t) => {
  t.equal(stoppedWith('stopping').result, 'reboot')
  for (const system of ['running', 'degraded', 'offline', 'unknown', '']) t.equal(stoppedWith(system).result, 'log-out')
})
