/** Ids of messages: whose they are, and that none comes twice. */
import t from 'tap'
import { isOwn, newMessage, newMessageId, ownMessageId, PROMPT } from '../../src/session/message.js'

t.test('the id tells whose message it is', async (t) => {
  t.equal(ownMessageId(2001), 'continue-2001')
  t.ok(isOwn(ownMessageId(1)))
  for (const id of [PROMPT, newMessageId(), 'continue', 'Continue-1', '']) t.notOk(isOwn(id), id)
  t.equal(newMessage(ownMessageId(1), 'go on').own, true)
  t.match(newMessage('m1', 'x', { interrupt: true }), { own: false, interrupt: true, sent: false })
})

t.test('ids are new', async (t) => {
  t.equal(new Set(Array.from({ length: 1000 }, newMessageId)).size, 1000)
})
