import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { modelFailure } from '../../../src/agents/chat/failure.js'
import { modelSource } from '../../../src/agents/chat/model.js'
import { type Answer, ask } from '../../../src/agents/chat/step.js'
import { tools } from '../../../src/agents/chat/tools/tools.js'

type Serve = (response: ServerResponse) => unknown

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`
const delta = (delta: object, finish_reason: string | null = null) =>
  event({ choices: [{ index: 0, delta, finish_reason }] })
const called = (index: number, id: string, name: string, input: string) =>
  delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: input } }] })

/** One call of a model that answers as `serve` says. */
async function answerOf(t: Test, serve: Serve): Promise<Answer & { heard: string }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    void serve(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  let heard = ''
  const answer = await ask({
    model: modelSource('cerebras', { CEREBRAS_BASE_URL: url }).model('any'),
    system: 'Be good.',
    messages: [{ role: 'user', content: 'Hello' }],
    tools: [...tools.values()],
    signal: new AbortController().signal,
    onText: async (text) => {
      heard += text
    },
    onThought: async () => undefined,
  })
  return { ...answer, heard }
}

t.test('an answer that ends without saying that it does', async (t) => {
  const answer = await answerOf(t, (response) => response.end(delta({ content: 'Half a' })))
  t.equal(answer.heard, 'Half a')
  t.match(modelFailure(answer.error).message, /broke off: Response stream ended without a finish/)
})

t.test('a connection that breaks, also within a line', async (t) => {
  for (const torn of ['', 'data: {"choices":[{"ind']) {
    const answer = await answerOf(t, (response) => {
      response.write(delta({ content: 'Half a' }) + torn, () => response.destroy())
    })
    t.equal(answer.text, 'Half a')
    t.match(modelFailure(answer.error).message, /broke off: terminated \(other side closed\)/)
  }
})

t.test('an error that is told in the stream', async (t) => {
  const answer = await answerOf(t, (response) => {
    response.end(delta({ content: 'Half a' }) + event({ error: { message: 'out of memory' } }))
  })
  t.equal(answer.text, 'Half a')
  t.match(modelFailure(answer.error).message, /broke off: out of memory/)
})

t.test('what is no stream of events at all', async (t) => {
  const answer = await answerOf(t, (response) => response.end('<html>Welcome to the network</html>'))
  t.ok(answer.error)
  t.match(modelFailure(answer.error).message, /broke off/)
})

t.test('an answer that is cut for its length', async (t) => {
  const answer = await answerOf(t, (response) => response.end(delta({ content: 'Long' }, 'length')))
  t.match(answer, { text: 'Long', finish: 'length', error: undefined })
})

t.test('several calls get ids of our own, and bad input is told of', async (t) => {
  const { calls, error } = await answerOf(t, async (response) => {
    response.write(called(0, 'call_0', 'read_file', '{"path":"a"}'))
    await delay(1)
    response.write(called(1, 'call_0', 'read_file', '{"path":'))
    response.write(called(2, 'call_0', 'read_file', '{"from":1}'))
    response.write(called(3, 'call_0', 'no_such_tool', '"text"'))
    response.end(delta({}, 'tool_calls'))
  })
  t.equal(error, undefined)
  t.match(calls, [{ name: 'read_file', input: { path: 'a' } }, { input: {} }, { input: { from: 1 } }, { input: {} }])
  t.same(
    calls.map(({ invalid }) => invalid !== undefined),
    [false, true, true, true],
  )
  t.equal(new Set(calls.map(({ id }) => id)).size, 4)
  for (const { id } of calls) t.match(id, /^[0-9a-z]{9}$/)
})
