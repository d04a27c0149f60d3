/** Options of requests, also of those that nobody's runner has written. */
import t from 'tap'
import { offersOf, wordsOf } from '../../src/session/offer.js'

t.test('what is offered', async (t) => {
  const options = [{ decision: 'allow', label: 'Yes' }, { decision: 'deny' }, null, 7, 'x', [], { decision: 8 }]
  t.same(offersOf({ options }), [
    { decision: 'allow', label: 'Yes' },
    { decision: 'deny', label: 'deny' },
  ])
  t.same(wordsOf({ options: ['red', null, 7, {}] }), ['red'])
  for (const none of [undefined, null, 7, 'allow', {}])
    t.same([offersOf({ options: none }), wordsOf({ options: none })], [[], []])
})
