import * as fc from 'fast-check'
import t from 'tap'
import { answer, claudeArgs, nativeIdOf } from '../../../src/agents/claude/wire.js'

const sessionId = '0123456789ab'

t.test('the native id is a valid UUID that follows from the session id', async (t) => {
  const ids = new Set<string>()
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9a-f]{12}$/),
      (id) => uuid.test(nativeIdOf(id)) && ids.add(nativeIdOf(id)).size > 0,
    ),
  )
  t.ok(ids.size > 50)
  t.equal(nativeIdOf(sessionId), '94136151-6d6d-8713-91e2-7fd4d0b54d69')
})

t.test('a mode is always named, and a session is either begun or resumed', async (t) => {
  const begun = claudeArgs({ sessionId })
  t.match(begun.join(' '), /--permission-prompt-tool stdio --permission-mode default/)
  t.same(begun.slice(-2), ['--session-id', nativeIdOf(sessionId)])
  const resumed = claudeArgs({ sessionId, model: 'm', permissionMode: 'plan' }, 'native').join(' ')
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
