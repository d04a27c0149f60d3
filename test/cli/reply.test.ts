/** Which of an agent's words answer a message. */
import t from 'tap'
import { Reply } from '../../src/cli/reply.js'

const text = (content: string) => ({ type: 'text', content })
const sent = (messageId: string) => ({ type: 'message_sent', messageId, delivery: 'new' })
const accepted = (messageId: string) => ({ type: 'message_accepted', messageId })
const began = { type: 'turn_started', turn: 1 }
const ended = (reason: string) => ({ type: 'turn_ended', turn: 1, reason })
const goOn = (messageId: string) => ({ type: 'user_message', by: 'daemon', messageId, content: 'Go on.' })

function reply(...records: object[]): Reply {
  const heard = new Reply('m')
  for (const record of records) heard.hear(record as Record<string, unknown>)
  return heard
}

t.test('the words of its own turn, and no others', async (t) => {
  const before = [sent('other'), accepted('other'), began, text('other'), ended('completed')]
  const own = [
    sent('m'),
    accepted('m'),
    began,
    { type: 'text', partial: true, delta: ['on'] },
    text('one'),
    text('two'),
  ]
  t.match(reply(...before, ...own), { text: 'one\ntwo', sent: true, isOver: false })
  const over = reply(...before, ...own, ended('completed'), sent('next'), began, text('three'), ended('failed'))
  t.match(over, { text: 'one\ntwo', isOver: true, end: { reason: 'completed' } })
  const steered = reply(began, text('before'), sent('m'), accepted('m'), text('both'), ended('completed'))
  t.match(steered, { text: 'both', isOver: true }, 'a turn that ran already')
  const early = reply(began, sent('m'), ended('completed'), began, accepted('m'), text('own'), ended('completed'))
  t.match(early, { isOver: true, text: 'own' }, 'a turn that ended before the agent took it')
})

t.test('a turn that broke off from outside is gone on with; one that was interrupted is over', async (t) => {
  const broken = [sent('m'), accepted('m'), began, text('one'), ended('interrupted')]
  t.match(reply(...broken), { isOver: false, end: { reason: 'interrupted' } })
  const resumed = [...broken, goOn('continue-2'), sent('continue-2'), accepted('continue-2'), began, text('two')]
  t.match(reply(...resumed), { isOver: false, text: 'one\ntwo' })
  t.match(reply(...resumed, ended('completed')), { isOver: true, end: { reason: 'completed' }, text: 'one\ntwo' })
  t.match(reply(...broken, sent('instead'), began, text('x')), {
    isOver: true,
    end: { reason: 'interrupted' },
    text: 'one',
  })
  t.match(reply(...broken, began, text('x')), { isOver: true, text: 'one' }, 'the agent began with something else')
})
