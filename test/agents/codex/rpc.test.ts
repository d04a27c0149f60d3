import t from 'tap'
import { Rpc } from '../../../src/agents/codex/rpc.js'

function fake() {
  const written: object[] = []
  const rpc = new Rpc(async (message) => {
    written.push(message)
  })
  return { rpc, written }
}

t.test('answers find their requests, in any order', async (t) => {
  const { rpc, written } = fake()
  const asked = [rpc.request('a', {}), rpc.request('b', { x: 1 })]
  t.same(written, [
    { id: 1, method: 'a', params: {} },
    { id: 2, method: 'b', params: { x: 1 } },
  ])
  t.equal(rpc.take({ id: 2, result: { two: true } }), true)
  t.equal(rpc.take({ id: 1, result: null }), true)
  t.same(await Promise.all(asked), [{}, { two: true }])
  t.equal(rpc.take({ id: 1, result: {} }), false)
  t.equal(rpc.take({ result: {} }), false)
})

t.test('a refusal, an end, and a pipe that is closed', async (t) => {
  const { rpc } = fake()
  const refused = rpc.request('a', {})
  rpc.take({ id: 1, error: { code: -32600, message: 'no' } })
  await t.rejects(refused, { name: 'RpcError', code: -32600, message: 'a: no' })
  const odd = rpc.request('a', {})
  rpc.take({ id: 2, error: 7 })
  await t.rejects(odd, { message: 'a: {}' })
  const open = rpc.request('b', {})
  rpc.close(new Error('gone'))
  await t.rejects(open, { message: 'gone' })
  const closed = new Rpc(() => Promise.reject(new Error('closed')))
  await t.rejects(closed.request('c', {}), { message: 'closed' })
  t.equal(closed.take({ id: 1, result: {} }), false)
})

t.test('what goes the other way', async (t) => {
  const { rpc, written } = fake()
  await rpc.notify('initialized')
  await rpc.answer(0, { decision: 'accept' })
  await rpc.refuse('x', 'not supported')
  t.match(written, [
    { method: 'initialized' },
    { id: 0, result: { decision: 'accept' } },
    { id: 'x', error: { message: 'not supported' } },
  ])
})
