import t from 'tap'
import { Outbox } from '../../../src/agents/codex/outbox.js'
import { RpcError } from '../../../src/agents/codex/rpc.js'

/** A codex of which the test says what it answers, and in which a turn may run. */
function fake() {
  const state = { inTurn: false, answers: [] as (string | Error)[], handed: [] as string[] }
  const outbox = new Outbox(
    async ({ messageId }) => {
      state.handed.push(messageId)
      const answer = state.answers.shift() ?? 't1'
      if (answer instanceof Error) throw answer
      return answer
    },
    () => state.inTurn,
  )
  const send = (messageId: string) => outbox.send({ messageId, content: '' })
  return { state, outbox, send }
}

const round = () => new Promise((resolve) => setImmediate(resolve))

t.test('a message is sent when codex says it again, not when it says that it will', async (t) => {
  const { outbox, send } = fake()
  let sent = false
  const sending = send('m1').then(() => {
    sent = true
  })
  await round()
  t.equal(sent, false)
  t.equal(outbox.taken('other'), false)
  t.equal(outbox.taken('m1'), true)
  await sending
  t.equal(outbox.taken('m1'), false)
})

t.test('what a turn has not taken goes to the next one; what it began with does not', async (t) => {
  const { state, outbox, send } = fake()
  const first = send('m1')
  await round()
  const second = send('m2')
  await round()
  state.answers.push('t2')
  t.equal(outbox.turnEnded('t1'), true)
  await first
  t.same(state.handed, ['m1', 'm2', 'm2'])
  await round()
  t.equal(outbox.turnEnded('t0'), false)
  outbox.taken('m2')
  await second
})

t.test('a turn that had ended when the answer came', async (t) => {
  const { state, outbox, send } = fake()
  await Promise.all([send('m1'), round().then(() => outbox.taken('m1'))])
  state.answers.push('t1', 't2')
  const second = send('m2')
  outbox.turnEnded('t1')
  await round()
  t.same(state.handed, ['m1', 'm2', 'm2'])
  outbox.taken('m2')
  await second
})

t.test('a turn that takes none is waited for; without a turn a refusal is told', async (t) => {
  const { state, outbox, send } = fake()
  const refusal = new RpcError('turn/start', { message: 'ActiveTurnNotSteerable' })
  state.inTurn = true
  state.answers.push(refusal)
  const first = send('m1')
  await round()
  t.equal(outbox.turnEnded('compaction'), false)
  t.same(state.handed, ['m1', 'm1'])
  outbox.taken('m1')
  await first
  state.inTurn = false
  state.answers.push(refusal)
  await t.rejects(send('m2'), refusal)
})

t.test('nothing is handed over after the end', async (t) => {
  const { state, outbox, send } = fake()
  state.answers.push('t1', 't1')
  const [first, second] = [send('m1'), send('m2')]
  await round()
  outbox.close()
  outbox.turnEnded('t1')
  await first
  outbox.fail(new Error('it is gone'))
  await t.rejects(second, { message: 'it is gone' })
  t.same(state.handed, ['m1', 'm2'])
})
