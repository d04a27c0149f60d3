/** `agentz approve`, `deny` and `answer`: whose answer counts, what is refused, and what a person is told. */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'

requireManager()

t.test('one request needs no name; the reason of a denial reaches the agent', async (t) => {
  const a = new Talk(t)
  const { id, requests } = await a.asking('make')
  t.match(a.do('show', id).stdout, `agentz approve ${id} ${requests[0]}\n`)
  t.match(a.do('deny', id, '-r', 'not now'), { status: 0, stdout: '', stderr: 'denied: Bash {"command":"make"}\n' })
  await a.untilType(id, 'session_completed')
  t.strictSame(a.said(id), ['make: deny not now'])
  t.match(
    a.events(id).find(({ type }) => type === 'approval_response'),
    { by: 'user', via: 'cli', decision: 'deny', reason: 'not now' },
  )
  const again = a.do('approve', id, requests[0] ?? '')
  t.match(again, { status: 3, stdout: '', stderr: /was answered already/ })
  t.match(a.do('approve', id), { status: 3, stderr: /is completed; it does not wait for an approval/ })
  t.match(a.do('approve', id, 'a/b c'), { status: 3, stderr: /there is no request "a\/b c"/ })
  t.match(a.do('approve', 'ffffffffffff'), { status: 3, stderr: /no session/ })
  t.match(a.do('answer', id, 'yes'), { status: 3, stderr: /does not wait for an answer/ })
})

t.test('of several requests one has to be named', async (t) => {
  const a = new Talk(t)
  const { id, requests } = await a.asking('first', 'second')
  const [first = '', second = ''] = requests
  const unclear = a.do('approve', id)
  t.match(unclear, { status: 2, stdout: '', stderr: /waits for 2 answers/ })
  for (const part of [first, second, '"first"', '"second"', `agentz approve ${id} ${first}`])
    t.match(unclear.stderr, part)
  const json = a.do('approve', id, second, '--json')
  t.match(JSON.parse(json.stdout), { sessionId: id, requestId: second, offset: Number })
  t.match(a.do('show', id, '--json').stdout, /"status":"waiting_approval"/)
  t.equal(a.do('approve', id, '--always').status, 0, 'one is left, and needs no name')
  await a.untilType(id, 'session_completed')
  t.strictSame(a.said(id), ['first: allow, second: allow'])
})

t.test('the first answer wins, whichever way it came', async (t) => {
  const a = new Talk(t)
  const { id, requests } = await a.asking('a', 'b')
  const [first = '', second = ''] = requests
  const how = a.do('deny', id, first, '-r', "it's by hand", '--how')
  t.match(how.stdout, /^printf .* >> .*# found within a second\n$/)
  t.notOk(
    a.events(id).some(({ type }) => type === 'approval_response'),
    '--how does nothing',
  )
  const line = {
    type: 'approval_response',
    timestamp: new Date().toISOString(),
    by: 'user',
    requestId: first,
    decision: 'deny',
  }
  appendFileSync(sessionLog(a.home, id), `\n${JSON.stringify(line)}\n`)
  t.match(a.do('approve', id, first), { status: 3, stderr: /was answered already/ }, 'by hand before')
  t.equal(a.do('approve', id, second).status, 0)
  appendFileSync(sessionLog(a.home, id), `\n${JSON.stringify({ ...line, requestId: second })}\n`)
  await a.untilType(id, 'session_completed')
  t.strictSame(a.said(id), ['a: deny The user denied this., b: allow'], 'by hand after counts for nothing')
})

t.test('a question of the agent takes what is offered, and no approval', async (t) => {
  const a = new Talk(t)
  const id = a.begin('question Which colour?|red|blue')
  const { requestId } = await a.untilType(id, 'input_request')
  t.match(a.do('show', id).stdout, `agentz answer ${id} --request ${requestId} red\n`)
  const wrong = a.do('approve', id)
  t.match(wrong, { status: 3, stderr: /asks a question; nothing waits to be allowed: Which colour\?/ })
  t.match(wrong.stderr, `agentz answer ${id} red`)
  t.match(a.do('deny', id, String(requestId)), { status: 3, stderr: /asks a question/ })
  t.match(a.do('answer', id, 'red', '--request', 'nobody'), { status: 3, stderr: /no request "nobody"/ })
  t.match(a.do('answer', id, 'red', '-f', '/dev/null'), { status: 2, stderr: /which one/ })
  t.match(a.with({ input: Buffer.from([0xff]) }, 'answer', id, '-'), { status: 2, stderr: /not UTF-8/ })
  t.match(a.do('answer', id, 'blue'), { status: 0, stderr: 'answered: Which colour?\n' })
  await a.untilType(id, 'session_completed')
  t.strictSame(a.said(id), ['the answer was blue'])
  t.match(a.do('answer', id, 'red', '--request', String(requestId)), { status: 3, stderr: /was answered already/ })
})

t.test('a question that died with its agent is stale', async (t) => {
  const a = new Talk(t)
  const { id, requests } = await a.asking('make')
  process.kill(Number(String(requests[0]).split('/')[0]), 'SIGKILL')
  await a.untilType(id, 'approval_voided')
  t.match(a.do('approve', id, requests[0] ?? ''), { status: 3, stderr: /is void/ })
  t.equal(a.do('wait', id).status, 0, 'the agent was started again and asked to go on')
  t.match(a.do('approve', id, requests[0] ?? ''), { status: 3, stderr: /is void/ })
})

t.test('a used-up budget asks before an agent runs, and is answered', async (t) => {
  const a = new Talk(t)
  const id = await a.over('--max-turns', '1', 'say one')
  t.equal(a.do('send', id, 'say two').status, 0)
  await a.untilType(id, 'input_request')
  t.match(a.do('show', id).stdout, /budget +1 turn\n[\s\S]*waiting +1 message that/)
  t.match(a.do('answer', id, 'perhaps'), { status: 2, stderr: /Answers: continue, stop/ })
  t.match(a.do('answer', id), { status: 2 })
  t.match(a.do('approve', id), { status: 3, stderr: /asks a question/ })
  t.equal(a.do('answer', id, 'continue').status, 0)
  t.equal(a.do('wait', id).status, 0)
  t.strictSame(a.said(id), ['one', 'two'])
  t.match(a.ls()[0], { sessionId: id })
  t.match(a.do('ls', '--wide'), { stderr: 'claude: 1 session, 24 tokens, $0.0200\n' })
  a.do('send', id, 'say three')
  t.equal(a.do('wait', id).status, 4, 'it asks again')
  t.equal(a.do('answer', id, 'stop').status, 0)
  t.equal(a.do('wait', id).status, 11)
  t.match(a.do('logs', id).stdout, /cancelled: stopped at the budget of turns/)
})

t.test('a turn that has cost ten budgets is answered once', async (t) => {
  const a = new Talk(t)
  const id = await a.over('--max-cost', '0.001', 'say one')
  t.match(a.do('send', id, '-w', 'say two'), { status: 4, stderr: /instead of "continue" adds so many dollars/ })
  t.match(a.do('show', id).stdout, /budget +\$0\.001\n[\s\S]*agentz answer .* continue\n[\s\S]*agentz answer .* stop\n/)
  t.equal(a.do('answer', id, 'continue').status, 0)
  t.equal(a.do('wait', id).status, 0)
  t.match(a.do('send', id, '-w', 'say three'), { status: 4 })
  t.equal(a.do('answer', id, '1').status, 0, 'a number adds so many')
  t.equal(a.do('wait', id).status, 0)
  t.match(a.do('send', id, '-w', 'say four'), { status: 0, stdout: 'four\n' })
})
