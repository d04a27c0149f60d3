/** What errors are about: by fields first, by words last. */
import t from 'tap'
import { blame } from '../../src/agents/blame.js'

const word = (message: string, status?: unknown, ...kinds: unknown[]) => blame({ message, status, kinds }).result

t.test('the status of HTTP', async (t) => {
  const table = { 400: 'agent', 401: 'login', 402: 'quota', 403: 'login', 404: 'model', 413: 'agent', 429: 'quota' }
  for (const [status, result] of Object.entries(table)) t.equal(word('no', Number(status)), result, status)
  for (const status of [500, 502, 503, 504, 529]) t.equal(word('no', status), 'overloaded', String(status))
  t.same(blame({ message: 'no', status: 529 }), { result: 'overloaded', message: 'no', status: 529 })
  for (const odd of ['401', null, {}, Number.NaN, 401.5])
    t.same(blame({ message: 'no', status: odd }), { result: 'agent', message: 'no' })
})

t.test('the kind of an error says more than its status', async (t) => {
  t.equal(word('no', 429, 'insufficient_quota'), 'quota')
  t.equal(word('no', 400, 'billing_error'), 'quota')
  t.equal(word('no', undefined, 'usageLimitExceeded'), 'quota')
  t.equal(word('no', undefined, 'unauthorized'), 'login')
  t.equal(word('no', undefined, null, 5, { a: 1 }, -32000), 'login')
  t.equal(word('no', 500, 'ProviderModelNotFoundError'), 'model')
  t.equal(word('no', undefined, 'serverOverloaded'), 'overloaded')
  t.equal(word('no', 401, 'httpConnectionFailed'), 'login', 'codex names the step, the status the reason')
  t.equal(word('no', undefined, 'responseStreamDisconnected'), 'unreachable')
  for (const odd of ['__proto__', 'constructor', '', 'other', 'unknown'])
    t.equal(word('no', undefined, odd), 'agent', odd)
})

t.test('words, where nothing else tells', async (t) => {
  const said: Record<string, string[]> = {
    login: ['Invalid API key · Fix external API key', 'Not logged in · Please run /login', '401 Unauthorized'],
    quota: [
      'Your credit balance is too low to access the API',
      'Claude usage limit reached',
      'You exceeded your current quota',
    ],
    model: [
      "There's an issue with the selected model (x). It may not exist or you may not have access to it.",
      'unknown model: x',
    ],
    overloaded: ['Overloaded', '503 Service Unavailable'],
    unreachable: ['connect ECONNREFUSED 127.0.0.1:1', 'stream disconnected before completion', 'fetch failed'],
    agent: ['room 4012', 'EDQUOT: disk quota exceeded, write', 'the tests fail', '', 'file model.ts has 404 lines'],
  }
  for (const [result, messages] of Object.entries(said)) for (const each of messages) t.equal(word(each), result, each)
  t.same(blame({ message: 'Failed. API Error: 429 slow down' }), {
    result: 'quota',
    message: 'Failed. API Error: 429 slow down',
    status: 429,
  })
  t.equal(word('unexpected status 404 Not Found'), 'model')
  t.ok((blame({ message: 'x'.repeat(1e6) }).message?.length ?? 0) < 10_000)
})
