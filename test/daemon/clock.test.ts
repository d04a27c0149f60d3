import t from 'tap'
import { after } from '../../src/daemon/clock.js'
import { until } from '../helpers/home.js'

t.test('once, not before its time, also after more than one timer holds', async (t) => {
  const began = performance.now()
  const calls: number[] = []
  after(0.1, () => calls.push(performance.now() - began), 15)
  await until(() => calls.length > 0, 'the time is over')
  // A timer of Node may be early by less than a millisecond.
  t.ok(calls[0]! >= 99, `${calls[0]} ms`)
})

t.test('a month is not now, and what is forgotten does not come', async (t) => {
  let calls = 0
  const forget = [after(40 * 86_400, () => calls++), after(0.02, () => calls++), after(0.03, () => calls++, 10)]
  for (const each of forget) each()
  let isLater = false
  after(0.06, () => {
    isLater = true
  })
  await until(() => isLater, 'it would have come by now')
  t.equal(calls, 0)
})
