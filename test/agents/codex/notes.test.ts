import t from 'tap'
import { errorEvent, planEvent, turnEnd, warningOf } from '../../../src/agents/codex/notes.js'

t.test('how a turn ends', async (t) => {
  t.same(turnEnd({ status: 'completed', error: null }), { reason: 'completed' })
  t.match(turnEnd({ status: 'interrupted' }), { reason: 'interrupted', error: 'the turn was interrupted' })
  t.match(turnEnd({ status: 'failed' }), {
    reason: 'failed',
    error: 'codex gave no reason',
    cause: { result: 'agent' },
  })
  const failed = (error: object) => turnEnd({ status: 'failed', error })
  t.match(failed({ message: 'x', codexErrorInfo: 'unauthorized' }), { cause: { result: 'login' } })
  t.match(failed({ message: 'x', codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 529 } } }), {
    cause: { result: 'overloaded', message: 'x', status: 529 },
  })
  t.match(failed({ message: '{"error":{"message":"inner"}}', codexErrorInfo: 'other' }), { error: 'inner' })
})

t.test('errors: those that are tried again, and those that are not', async (t) => {
  const error = { message: 'Reconnecting... 1/5', additionalDetails: 'HTTP 529' }
  t.same(errorEvent({ error, willRetry: true }), {
    type: 'system',
    content: 'the model failed, and codex tries again: HTTP 529 - Reconnecting... 1/5',
  })
  t.match(errorEvent({ error: { message: 'no' }, willRetry: false }), { type: 'error', content: 'no' })
  t.match(errorEvent({}), { type: 'error', content: 'codex gave no reason' })
})

t.test('a plan', async (t) => {
  const plan = [
    { step: 'one', status: 'completed' },
    { step: 'two', status: 'inProgress' },
  ]
  t.same(planEvent({ plan }), {
    type: 'plan',
    entries: [
      { content: 'one', status: 'completed' },
      { content: 'two', status: 'in_progress' },
    ],
  })
})

t.test('warnings', async (t) => {
  t.equal(warningOf('warning', { message: 'w' }), 'w')
  t.equal(warningOf('configWarning', { summary: 's', details: null, path: '/p' }), 's /p')
  t.equal(warningOf('model/rerouted', { fromModel: 'a', toModel: 'b' }), 'the model b answers in the place of a')
  t.equal(warningOf('other', {}), undefined)
})
