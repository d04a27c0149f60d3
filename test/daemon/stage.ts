/** A daemon's conversation in this process: a real file, a real inbox and pen, and an agent that a test plays. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { doorbell, type Home, sessionLog } from '../../src/base/paths.js'
import { Dialogue } from '../../src/daemon/dialogue.js'
import { Inbox } from '../../src/daemon/inbox.js'
import { Output } from '../../src/daemon/output.js'
import { recovery } from '../../src/daemon/recovery.js'
import type { Verdict } from '../../src/daemon/verdict.js'
import { Appender, appendOnce } from '../../src/log/append.js'
import { appendControl } from '../../src/session/control.js'
import type { ControlEvent, Unframed } from '../../src/session/events.js'
import type { Loose } from '../../src/session/life.js'
import { Mask } from '../../src/session/mask.js'
import type { SessionState } from '../../src/session/state.js'
import type { NewSession } from '../../src/session/store.js'
import { Tally } from '../../src/session/tally.js'
import { newHome, until } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import type { FakeAgent } from './fake-agent.js'

// The doorbells of these tests belong to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR

/** What waits until a test lets it go. */
export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

export class Stage {
  readonly home: Home
  readonly id: string
  readonly path: string
  readonly inbox: Inbox
  readonly dialogue: Dialogue
  readonly output: Output
  /** How the conversation ends. */
  readonly verdict: Promise<Verdict>
  /** How often an agent was waited for, before its start. */
  paced = 0
  /** What is for the journal. */
  readonly warnings: string[] = []
  /** How often somebody has looked at the state. */
  looks = 0
  /** Holds up the next start. */
  hold: Promise<void> = Promise.resolve()

  /** @param before what stands in the file already, below line 1 */
  static async of(
    t: Test,
    agent: FakeAgent,
    { before = [], ...spec }: Partial<NewSession> & { before?: readonly object[]; hold?: Promise<void> } = {},
  ): Promise<Stage> {
    const { hold, ...fields } = spec
    const home = newHome(t)
    const { sessionId } = await newSession(home, { agentType: 'fake', prompt: 'the prompt', ...fields })
    for (const event of before) appendOnce(sessionLog(home, sessionId), JSON.stringify(event))
    return new Stage(t, home, sessionId, agent, hold)
  }

  constructor(t: Test, home: Home, id: string, agent: FakeAgent, hold?: Promise<void>) {
    this.home = home
    this.id = id
    this.path = sessionLog(home, id)
    if (hold !== undefined) this.hold = hold
    let isClosed = false
    const inbox = new Inbox(id, this.path)
    this.inbox = inbox
    const epoch = inbox.state.epoch + 1
    const tally = epoch > 1 ? Tally.of(this.path) : new Tally()
    const appender = new Appender(this.path)
    this.output = new Output(appender, epoch, new Mask([]), {
      onWritten: (bytes, plain) => inbox.wrote(bytes, plain),
      onBroken: (error) => {
        if (!isClosed) t.fail('the log is broken', { error })
      },
      onBlocked: () => undefined,
    })
    this.dialogue = new Dialogue(agent, {
      epoch,
      path: this.path,
      output: this.output,
      state: () => {
        this.looks++
        return inbox.state
      },
      pace: () => {
        this.paced++
        return this.hold
      },
      context: () => ({
        spec: inbox.state.spec,
        env: {},
        full: () => this.output.full(),
        warn: (message) => void this.warnings.push(message),
      }),
      onEvent: (event) => tally.count(event),
      onStarted: () => undefined,
    })
    const closing = recovery(agent, inbox.state, tally, epoch)
    this.verdict = this.#begin([{ type: 'daemon_started', sessionId: id, unit: 'u', pid: 1, bootId: 'b' }, ...closing])
    this.verdict.catch(() => undefined)
    t.teardown(async () => {
      this.dialogue.stop()
      await this.verdict.catch(() => undefined)
      this.dialogue.close()
      await this.output.commit([], 'daemon')
      isClosed = true
      inbox.close()
      appender.close()
    })
  }

  async #begin(first: Parameters<Output['commit']>[0]): Promise<Verdict> {
    await this.inbox.open(doorbell(this.home, this.id), (record) => this.dialogue.heard(record))
    await this.output.commit(first, 'daemon')
    return this.dialogue.run()
  }

  get state(): SessionState {
    return this.inbox.state
  }

  /** As the command line and HTTP do it. */
  async control(event: Unframed<ControlEvent>): Promise<void> {
    await appendControl(this.home, this.id, event)
  }

  say(messageId: string, content = `say ${messageId}`, interrupt?: true): Promise<void> {
    return this.control({ type: 'user_message', messageId, content, ...(interrupt ? { interrupt } : {}) })
  }

  /** As a person does it with `>>`. */
  byHand(event: object, timestamp = new Date().toISOString()): void {
    appendOnce(this.path, JSON.stringify({ ...event, timestamp, by: 'user' }))
    this.inbox.read()
  }

  events(): Loose[] {
    const lines = readFileSync(this.path, 'utf8').split('\n')
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  }

  of(type: string): Loose[] {
    return this.events().filter((event) => event.type === type)
  }

  /** What has happened since this daemon's start, an event a line, without what the agent said. */
  story(...without: string[]): string[] {
    const events = this.events()
    const from = events.findLastIndex(({ type }) => type === 'daemon_started')
    const left = new Set(['text', 'agent_session', ...without])
    return events.slice(from + 1).flatMap((event) => (left.has(String(event.type)) ? [] : [line(event)]))
  }

  /** Waits until the file has an event like this one. */
  async until(type: string, like: Loose = {}): Promise<Loose> {
    const fits = (event: Loose) =>
      event.type === type && Object.entries(like).every(([key, value]) => event[key] === value)
    await until(() => this.events().some(fits), `there is ${type} ${JSON.stringify(like)}`, 10_000)
    return this.events().findLast(fits)!
  }
}

/** What of an event tells it from others of its type. */
const told = ['messageId', 'delivery', 'turn', 'requestId', 'toolId', 'decision', 'subject', 'reason']
const line = (event: Loose): string =>
  [event.type, ...told.flatMap((key) => (event[key] === undefined ? [] : [event[key]]))].join(' ')
