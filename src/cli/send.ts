import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { findSession } from '../session/find.js'
import { frame } from '../session/frame.js'
import { newMessageId } from '../session/message.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive, needsAnswer } from '../session/status.js'
import { sayTo } from '../supervisor/say.js'
import { context, EXIT, milliseconds, type Verb } from './context.js'
import { exitFor, follow } from './follow.js'
import { readText } from './input.js'
import { howToAnswer } from './question.js'
import { Reply } from './reply.js'
import { appendLine, harmless, harmlessJson, print, say } from './terminal.js'

interface Args {
  id: string
  text?: string[]
  file?: string
  interrupt?: boolean
  wait?: boolean
  timeout?: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'send <id> [text..]',
  describe: 'Say something to a session; one that has ended is taken up again',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .positional('text', { type: 'string', array: true, describe: 'What to say; - reads it from standard input' })
      .option('file', { alias: 'f', type: 'string', describe: 'Read it from a file' })
      .option('interrupt', { alias: 'i', type: 'boolean', describe: 'Stop the turn that runs first' })
      .option('wait', { alias: 'w', type: 'boolean', describe: 'Wait for the answer and print it' })
      .option('timeout', { alias: 't', type: 'string', describe: 'Wait no longer than so many seconds' }) as never,
  handle: async (args, rest) => {
    const { home, supervisor } = context()
    const limit = args.timeout === undefined ? undefined : milliseconds(args.timeout)
    if (limit !== undefined && !args.wait) {
      throw new AgentzError('USAGE', '-t is how long to wait, and needs --wait', { hint: 'See `agentz send --help`.' })
    }
    const id = findSession(home, args.id)
    const content = await readText('message', [...(args.text ?? []), ...rest], args.file)
    const messageId = newMessageId()
    const interrupt = args.interrupt ? { interrupt: true } : {}
    if (args.how) {
      const line = frame({ type: 'user_message', messageId, content, ...interrupt }, 'user')
      const { spec, status } = readSession(home, id)
      await print(`${appendLine(line, sessionLog(home, id))}   # found within a second by a daemon that runs\n`)
      if (!isLive(status)) await print(`${supervisor.howToStart(spec)}\n`)
      return EXIT.ok
    }
    const said = await sayTo(home, supervisor, id, { messageId, content, via: 'cli', ...interrupt })
    if (!args.wait) {
      if (args.json) {
        await print(`${JSON.stringify({ sessionId: id, ...said })}\n`)
        return EXIT.ok
      }
      const queued = `${id} is taken up again with it when it is its turn: place ${said.place} in the queue`
      say(said.place !== undefined ? queued : said.reopened ? `${id} is taken up again with it` : `${id} has it`)
      const now = readSession(home, id)
      if (now.frozen) say(`it is frozen, and reads it after: agentz thaw ${id}`)
      if (needsAnswer(now.status)) say(howToAnswer(now))
      return EXIT.ok
    }
    const signal = limit === undefined ? new AbortController().signal : AbortSignal.timeout(limit)
    const reply = new Reply(messageId)
    const state = await follow(home, supervisor, id, {
      signal,
      from: said.offset,
      onRecord: (record) => reply.hear(record),
      counts: () => reply.sent,
      until: ({ status }) => reply.isOver || needsAnswer(status),
    })
    const { text: answer } = reply
    if (args.json)
      await print(`${harmlessJson(JSON.stringify({ sessionId: id, messageId, status: state?.status, answer }))}\n`)
    else if (answer !== '') await print(`${harmless(answer)}\n`)
    return cameTo(id, reply, state)
  },
}

/** Says what became of it, where that is not the answer alone. @returns the exit status */
function cameTo(id: string, { end, isOver }: Reply, state: SessionState | undefined): number {
  if (isOver && end !== undefined) {
    if (end.reason === 'completed') return EXIT.ok
    const how = end.reason === 'failed' ? 'the turn failed' : 'the turn was interrupted'
    say(harmless(`agentz: ${end.error === undefined || end.error === how ? how : `${how}: ${end.error}`}`))
    return end.reason === 'failed' ? EXIT.failed : EXIT.interrupted
  }
  if (state === undefined) {
    say(`agentz: timed out; the answer will be in \`agentz logs ${id}\``)
    return EXIT.timedOut
  }
  if (needsAnswer(state.status)) {
    say(howToAnswer(state))
    return EXIT.needsAnswer
  }
  say(harmless(`agentz: the session is ${state.status}${state.error === undefined ? '' : `: ${state.error}`}`))
  return exitFor(state.status)
}
