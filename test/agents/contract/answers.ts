/** What the model says, and what it cannot say: text, thoughts, errors, an answer that breaks off. */
import type { Test } from 'tap'
import type { Check, EndEvent, Stage } from './stage.js'
import { Play } from './stage.js'

/** An agent may give up at once or try again for minutes; what is wrong is told while it does, unless it tells nobody. */
async function tellsOf(t: Test, { can }: Stage, play: Play, what: RegExp): Promise<EndEvent> {
  const told = () => [...play.all('error'), ...play.all('system')].some(({ content }) => what.test(content))
  const retries = async () => !can.tellsRetries && (await play.requests()).length > 1
  await play.wait(async () => play.ends.length > 0 || told() || (await retries()), 'the error shows')
  if (play.ends.length === 0) t.equal(told(), can.tellsRetries, 'whether the file tells of it')
  const end = await cancelled(t, play)
  if (end.type === 'session_failed') t.match(end.error, what, play.story())
  else t.equal(end.type, 'session_cancelled', play.story())
  return end
}

/** Cancels a session, unless it has come to its end. */
async function cancelled(t: Test, play: Play): Promise<EndEvent> {
  if (play.ends.length === 0) t.match(await play.do('cancel'), { status: 0 })
  return play.end()
}

export const answers: readonly Check[] = [
  {
    name: 'an answer stands in the file once, whole, and is counted',
    async run(t, stage) {
      const sentence = 'A whole sentence of the answer.'
      const play = await Play.begin(t, stage, `text ${sentence}`)
      const end = await play.end()
      t.match(end, { type: 'session_completed', metadata: { turns: 1, usage: { output: 17 } } }, play.story())
      t.equal('metadata' in end && end.metadata?.costUsd !== undefined, stage.can.cost, 'what it cost')
      t.same(play.texts, [sentence])
      const said = play.events.slice(1).filter((event) => JSON.stringify(event).includes(sentence))
      t.equal(said.length, 1, 'a search finds it once')
      t.match(play.all('turn_started'), [{ turn: 1 }])
      t.match(play.all('turn_ended'), [{ turn: 1, reason: 'completed' }])
      t.match(play.all('message_sent'), [{ messageId: 'prompt', delivery: 'new' }])
      t.same(play.all('raw'), [], 'all that it says is understood')
    },
  },
  {
    name: 'thoughts are told apart from the answer',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'think So it is.')
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      const thoughts = play.all('thinking').filter(({ content }) => content !== undefined)
      t.match(thoughts, [{ content: /I am thinking about it\./ }], play.story())
      t.same(play.texts, ['So it is.'])
    },
  },
  {
    name: 'an error of the model is the cause of a failure',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'error 400')
      t.match(
        await play.end(),
        { type: 'session_failed', error: /mock error 400/, cause: { result: 'agent' } },
        play.story(),
      )
      t.match(play.all('turn_ended'), [{ reason: 'failed' }])
    },
  },
  {
    name: 'a wrong key is told of, as such',
    async run(t, stage) {
      const end = await tellsOf(t, stage, await Play.begin(t, stage, 'error 401'), /401/)
      if (end.type === 'session_failed') t.equal(end.cause.result, 'login', end.error)
    },
  },
  {
    name: 'a model that is not there, and a limit that is reached, are told apart',
    async run(t, stage) {
      for (const [status, word] of [
        [404, 'model'],
        [429, 'quota'],
      ] as const) {
        const end = await tellsOf(t, stage, await Play.begin(t, stage, `error ${status}`), /404|429|model|limit|quota/i)
        if (end.type === 'session_failed') t.equal(end.cause.result, word, end.error)
      }
    },
  },
  {
    name: 'an overloaded model is told of',
    async run(t, stage) {
      const end = await tellsOf(t, stage, await Play.begin(t, stage, 'error 529'), /529|overloaded/i)
      if (end.type === 'session_failed') t.equal(end.cause.result, 'overloaded')
    },
  },
  {
    name: 'an answer that breaks off does not hang',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'cut')
      const triesOn = async () => stage.can.cut === 'tries on' && (await play.requests()).length > 1
      await play.wait(async () => play.ends.length > 0 || (await triesOn()), 'it ends, or tries again')
      const end = await cancelled(t, play)
      t.equal(end.type, `session_${stage.can.cut === 'tries on' ? 'cancelled' : stage.can.cut}`, play.story())
      if (end.type === 'session_failed') t.ok(end.cause.message, 'it says why')
      t.equal(play.all('turn_ended').length, play.all('turn_started').length)
      t.match(play.texts.join(' '), /This answer breaks off/, 'what was said so far is kept')
    },
  },
]
