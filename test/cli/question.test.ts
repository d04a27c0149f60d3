/** Requests that nobody's runner has written, as they are shown. */
import t from 'tap'
import { answers, notes } from '../../src/cli/question.js'

t.test('no request by hand keeps a session from being shown', async (t) => {
  for (const options of [[null], 7, 'x', [[]], [{ decision: 'allow_always', label: null }]]) {
    const request = { type: 'approval_request', requestId: 'x', options }
    t.ok(answers('abc', request, true).length > 0)
    t.ok(Array.isArray(notes(request)))
    t.ok(answers('abc', { ...request, question: 'Which?' }, true).length > 0)
  }
})
