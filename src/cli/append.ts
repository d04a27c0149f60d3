import { AgentzError, reason } from '../base/errors.js'
import { firstIssue } from '../base/issue.js'
import { sessionLog } from '../base/paths.js'
import { appendControl } from '../session/control.js'
import { type ControlEvent, controlTypes, SessionEvent, type Unframed } from '../session/events.js'
import { findSession } from '../session/find.js'
import { frame } from '../session/frame.js'
import { sayTo } from '../supervisor/say.js'
import { context, type Verb } from './context.js'
import { appendLine, print, say } from './terminal.js'

interface Args {
  id: string
  event: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'append <id> <event>',
  describe: `Append an event to a session: ${controlTypes.join(', ')}`,
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .positional('event', { type: 'string', demandOption: true, describe: 'JSON; timestamp and by are added' })
      .example(`$0 append latest '{"type":"cancel_requested"}'`, 'What `agentz cancel` does') as never,
  handle: async (args) => {
    const { home, supervisor } = context()
    const id = findSession(home, args.id)
    const event = parse(args.event)
    if (args.how) {
      await print(`${appendLine(frame(event, 'user'), sessionLog(home, id))}   # found within a second\n`)
      return 0
    }
    // A message to a session that has ended takes it up again, however it is said.
    const { offset, state } =
      event.type === 'user_message'
        ? { ...(await sayTo(home, supervisor, id, event)), state: undefined }
        : await appendControl(home, id, event)
    if (offset === undefined) say(`nothing to do: the session is ${state?.status}`)
    else await print(args.json ? `${JSON.stringify({ sessionId: id, offset })}\n` : `${offset}\n`)
    return 0
  },
}

/** @throws BAD_INPUT */
function parse(text: string): Unframed<ControlEvent> {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (error) {
    throw new AgentzError('BAD_INPUT', `the event is not JSON: ${reason(error)}`, {
      cause: error,
      hint: 'An event is an object such as {"type":"cancel_requested"}; `agentz append --help` lists the types.',
    })
  }
  const { type } = (given ?? {}) as { type?: unknown }
  if (!(controlTypes as readonly unknown[]).includes(type)) {
    throw new AgentzError(
      'BAD_INPUT',
      type === undefined ? 'the event has no type' : `type ${JSON.stringify(type)} is not for others to append`,
      {
        hint: `Types: ${controlTypes.join(', ')}. All others are written by the daemon and the reaper.`,
      },
    )
  }
  const result = SessionEvent.safeParse({ timestamp: '', by: 'user', ...(given as object) })
  if (!result.success) throw new AgentzError('BAD_INPUT', `the event does not fit: ${firstIssue(result.error)}`)
  const { timestamp: _, by: __, epoch: ___, ...event } = result.data as ControlEvent
  return event as Unframed<ControlEvent>
}
