/** What is said to an agent after the prompt: while it is busy, and when it had finished. */
import type { Check } from './stage.js'
import { Play, sameConversation } from './stage.js'

export const messages: readonly Check[] = [
  {
    name: 'a message to a busy agent is answered, too',
    async run(t, stage) {
      const { delivery, finishesFirst } = stage.can
      const play = await Play.begin(t, stage, 'slow 100 50')
      await play.streams()
      t.match(await play.do('send', 'MOCK: text The second answer.'), { status: 0 })
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      const [message] = play.all('user_message')
      const sent = play.all('message_sent').find(({ messageId }) => messageId === message?.messageId)
      t.equal(sent?.delivery, delivery)
      t.equal(play.texts.filter((text) => text === 'The second answer.').length, 1, play.story())
      t.equal(
        play.texts.some((text) => text.endsWith('tick98 tick99')),
        finishesFirst,
        'whether the first answer has come to its end',
      )
    },
  },
  {
    name: 'a message to a finished session goes on with its conversation',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'text The first answer.')
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      t.match(await play.do('send', 'MOCK: text The second answer.'), { status: 0 })
      t.match(await play.end(2), { type: 'session_completed' }, play.story())
      t.same(play.texts, ['The first answer.', 'The second answer.'])
      sameConversation(t, play, stage)
      t.same((await play.requests()).at(-1)?.scripts, ['text The first answer.', 'text The second answer.'])
    },
  },
]
