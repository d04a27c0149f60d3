/** When an agent that says nothing is marked. */
import t, { type Test } from 'tap'
import { Silence } from '../../src/daemon/silence.js'
import { until } from '../helpers/home.js'

function listen(t: Test, seconds: number | undefined): { silence: Silence; told: string[] } {
  const told: string[] = []
  const silence = new Silence(seconds, (events) => told.push(...events.map(({ type }) => type)))
  t.teardown(() => silence.close())
  return { silence, told }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

t.test('it is marked once, and unmarked by a word', async (t) => {
  const { silence, told } = listen(t, 0.05)
  silence.watch(true)
  await until(() => told.length === 1, 'it is marked')
  silence.watch(true)
  await pause(120)
  t.same(told, ['stalled'], 'once')
  silence.broken()
  t.same(told, ['stalled', 'stall_ended'])
  await until(() => told.length === 3, 'it is marked again when it goes on')
})

t.test('a word now and then is enough', async (t) => {
  const { silence, told } = listen(t, 0.2)
  silence.watch(true)
  for (let i = 0; i < 10; i++) {
    await pause(40)
    silence.broken()
  }
  t.same(told, [])
})

t.test('who waits for a person is not silent', async (t) => {
  const { silence, told } = listen(t, 0.05)
  silence.broken()
  await pause(100)
  t.same(told, [], 'nobody listens yet')
  silence.watch(true)
  silence.watch(false)
  await pause(100)
  t.same(told, [])
  silence.watch(true)
  await until(() => told.length === 1, 'it is marked')
  silence.watch(false)
  t.same(told, ['stalled', 'stall_ended'])
})

t.test('no limit, a limit of a month, and the end', async (t) => {
  const [none, month, over] = [listen(t, undefined), listen(t, 30 * 24 * 3600), listen(t, 0.02)]
  for (const { silence } of [none, month, over]) silence.watch(true)
  over.silence.close()
  await pause(80)
  t.same([none.told, month.told, over.told], [[], [], []])
})
