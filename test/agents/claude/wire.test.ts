import * as fc from 'fast-check'
import t from 'tap'
import { answer, answerQuestion, claudeArgs, nativeIdOf, uuidOf } from '../../../src/agents/claude/wire.js'

const sessionId = '0123456789ab'

t.test('native ids and those of messages are valid UUIDs that follow from what they name', async (t) => {
  const ids = new Set<string>()
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9a-f]{12}$/),
      (id) => uuid.test(nativeIdOf(id, 1)) && uuid.test(uuidOf(id, 'm')) && ids.add(nativeIdOf(id, 1)).size > 0,
    ),
  )
  t.ok(ids.size > 50)
  t.equal(nativeIdOf(sessionId, 1), nativeIdOf(sessionId, 1))
  const all = [nativeIdOf(sessionId, 1), nativeIdOf(sessionId, 2), uuidOf(sessionId, '1'), uuidOf(sessionId, 'prompt')]
  t.equal(new Set(all).size, 4, 'one for each start and each message')
})

t.test('a mode is always named, and a session is either begun or resumed', async (t) => {
  const begun = claudeArgs({}, ['--session-id', 'native'])
  t.match(begun.join(' '), /--permission-prompt-tool stdio --permission-mode default/)
  t.same(begun.slice(-2), ['--session-id', 'native'])
  const resumed = claudeArgs({ model: 'm', permissionMode: 'plan' }, ['--resume', 'native']).join(' ')
  t.match(resumed, /--permission-mode plan --model m --resume native$/)
  t.notMatch(resumed, /--session-id/)
})

t.test('answers as claude wants them', async (t) => {
  const suggestions = [{ type: 'setMode', mode: 'acceptEdits', destination: 'localSettings' }]
  const question = { requestId: 'q', input: { command: 'ls' }, suggestions }
  const response = (response: object) => ({
    type: 'control_response',
    response: { subtype: 'success', request_id: 'q', response },
  })
  const allow = { behavior: 'allow', updatedInput: { command: 'ls' } }
  t.same(answer(question, { requestId: 'q', decision: 'allow' }), response(allow))
  t.same(
    answer(question, { requestId: 'q', decision: 'allow_always' }),
    response({ ...allow, updatedPermissions: [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }] }),
  )
  t.same(
    answer(question, { requestId: 'q', decision: 'deny', reason: 'not this way' }),
    response({ behavior: 'deny', message: 'not this way', interrupt: false }),
  )
})

t.test('the answer to a question of its own', async (t) => {
  const input = { questions: [{ question: 'Which?', options: [] }, { question: 'How many?' }], more: 1 }
  t.same(answerQuestion({ requestId: 'q', input, suggestions: [] }, 'blue'), {
    type: 'control_response',
    response: {
      subtype: 'success',
      request_id: 'q',
      response: { behavior: 'allow', updatedInput: { ...input, answers: { 'Which?': 'blue', 'How many?': 'blue' } } },
    },
  })
  for (const odd of [undefined, null, 'x', { questions: 1 }, { questions: [null] }]) {
    t.doesNotThrow(() => answerQuestion({ requestId: 'q', input: odd, suggestions: [] }, 'x'))
  }
})
