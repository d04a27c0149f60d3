/** One process of an ACP agent for one session: a turn is a prompt and its answer, and messages wait for the one before. */
import { methods } from '@agentclientprotocol/sdk'
import { AgentzError, reason } from '../../base/errors.js'
import type { AgentEvent } from '../../session/events.js'
import { isOwn } from '../../session/message.js'
import type { AgentContext, Conversation, Decision, End, Message } from '../agent.js'
import { blame } from '../blame.js'
import { Coalescer } from '../coalesce.js'
import { cutJson } from '../cut.js'
import type { Json } from '../json.js'
import { type Exit, sentenceOf, within } from '../process.js'
import { Stdio } from '../stdio.js'
import { Asking } from './asking.js'
import { StartFailure } from './failure.js'
import { type Begun, begin, comeBack, type Handshake } from './handshake.js'
import { historyHolds } from './history.js'
import { Link } from './link.js'
import { AcpNormaliser } from './normalise.js'
import type { Profile } from './profile.js'
import { AcpSession } from './session.js'
import { Stderr } from './stderr.js'
import { type TurnEnd, turnEnd, turnFailure } from './turn.js'

/** An agent that closes its streams is about to end, which then is the reason. */
const CLOSING_MS = 2000

const { prompt, cancel } = methods.agent.session

export class AcpRun implements Conversation {
  readonly pid: number | undefined
  readonly ready: Promise<void>
  readonly ended: Promise<End>
  readonly steers = false
  readonly #context: AgentContext
  readonly #profile: Profile
  readonly #stdio: Stdio
  readonly #stderr: Stderr
  readonly #link: Link
  readonly #session: AcpSession
  readonly #normaliser: AcpNormaliser
  readonly #coalescer: Coalescer
  readonly #asking: Asking
  readonly #hands: Handshake
  #begun: Begun | undefined
  /** Why it could not begin. */
  #failure: End | undefined
  /** Settles when the prompt that is out has been answered; never rejects. */
  #turn: Promise<void> | undefined
  #onHeard: () => void = () => undefined
  #isAsked = false
  #onReady: () => void = () => undefined
  /** When the last update came. */
  #lastUpdate = 0

  constructor(context: AgentContext, profile: Profile) {
    const { spec, env, nativeId, turns, open } = context
    this.#context = context
    this.#profile = profile
    this.#session = new AcpSession(profile, spec.permissionMode)
    this.#normaliser = new AcpNormaliser(profile, this.#session, { turns, isNew: nativeId === undefined, open })
    this.#coalescer = new Coalescer((events) => context.emit(events))
    this.#stderr = new Stderr(profile)
    this.#asking = new Asking({
      ...{ profile, start: context.start, normaliser: this.#normaliser },
      emit: (events) => this.#tell(events),
      unknown: (value) => this.#unknown(value, 0),
    })
    this.#link = new Link({
      vainRequests: profile.vainRequests ?? [],
      write: (message) => this.#stdio.write(message),
      onUpdate: (update) => this.#update(update),
      onPermission: (params, withdrawn) => this.#asking.permission(params, withdrawn),
      onElicitation: (params, withdrawn) => this.#asking.elicitation(params, withdrawn),
      onUnknown: (value, missing) => this.#unknown(value, missing),
    })
    this.#mend()
    this.#hands = { link: this.#link, profile, spec, session: this.#session }
    this.#stdio = new Stdio(context, {
      argv: profile.argv(spec),
      env: profile.env?.(spec, env) ?? {},
      onLine: (line, missing) => this.#link.line(line, missing),
      isNoise: (line) => this.#stderr.isNoise(line),
    })
    this.pid = this.#stdio.pid
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve
    })
    this.ended = this.#run()
    this.#begin().catch((error: unknown) => this.#failed(error))
  }

  async has({ messageId, content }: Message): Promise<boolean | undefined> {
    const begun = this.#begun
    if (begun === undefined || this.#context.nativeId === undefined) return undefined
    if (!this.#profile.own && !begun.replayed && begun.loads) {
      // It was gone on with without a replay. That it is loaded once more changes nothing but what is known.
      await comeBack(this.#hands)
      await this.#replayed()
      this.#begun = { ...begun, replayed: true }
    }
    return historyHolds(this.#profile, this.#begun ?? begun, this.#normaliser.said, { messageId, content })
  }

  async send({ messageId, content }: Message): Promise<void> {
    if (this.#begun === undefined || this.#turn !== undefined) {
      throw new AgentzError('CONFLICT', `${this.#profile.name} takes a message when it has answered the last one`)
    }
    this.#normaliser.prompted()
    this.#asking.reset()
    const heard = new Promise<'heard'>((resolve) => {
      this.#onHeard = () => resolve('heard')
    })
    const nudge = isOwn(messageId) ? { 'agentz/continue': true } : {}
    const meta = this.#profile.own ? { _meta: { 'agentz/messageId': messageId, ...nudge } } : {}
    const params = { sessionId: this.#session.nativeId, prompt: [{ type: 'text', text: content }], ...meta }
    this.#turn = this.#take(this.#link.request(prompt, params))
    const gone = this.#stdio.exited.then(async (exit) => {
      await this.ended
      throw new AgentzError('CONFLICT', `${sentenceOf(this.#profile.name, exit)} before it took the message`)
    })
    await Promise.race([heard, gone])
  }

  async decide(decision: Decision): Promise<void> {
    this.#asking.decide(decision)
  }

  async answer(requestId: string, content: string): Promise<void> {
    this.#asking.answer(requestId, content)
  }

  async interrupt(): Promise<void> {
    const turn = this.#turn
    if (turn === undefined) return
    await this.#link.notify(cancel, { sessionId: this.#session.nativeId })
    this.#asking.interrupt()
    await Promise.race([turn, this.#stdio.exited])
  }

  finish(): Promise<void> {
    this.#endsNow()
    return this.#stdio.finish('SIGTERM')
  }

  stop(): Promise<void> {
    this.#endsNow()
    return this.#stdio.stop(() => this.interrupt(), 'SIGTERM')
  }

  async #begin(): Promise<void> {
    const begun = await begin(this.#hands, this.#context.nativeId)
    if (begun.replayed) await this.#replayed()
    this.#mend()
    this.#begun = begun
    this.#context.emit(this.#session.news())
    this.#onReady()
  }

  #mend(): void {
    const { nativeId, env } = this.#context
    try {
      if (nativeId !== undefined) this.#profile.mend?.(nativeId, env)
    } catch (error) {
      // What may get lost then is missed later, and the conversation begins anew.
      this.#context.warn(`cannot look after the history of ${this.#profile.name}`, error)
    }
  }

  /** Where a history is replayed after the answer that ends it, only silence tells that it is over. */
  async #replayed(): Promise<void> {
    const pause = this.#profile.replayPauseMs
    if (pause === undefined) return
    this.#lastUpdate = performance.now()
    for (let left = pause; left > 0; left = this.#lastUpdate + pause - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, left))
    }
  }

  /** A start that fails ends the process; one whose process has ended is told of by its end. */
  async #failed(error: unknown): Promise<void> {
    if (error instanceof StartFailure) this.#failure = error.end
    else if (this.#isAsked || (await within(this.#stdio.exited, CLOSING_MS))) return
    this.#failure ??= { kind: 'died', error: reason(error), cause: blame({ message: reason(error) }), again: false }
    this.#stderr.end()
    await this.#stdio.stop(() => Promise.resolve(), 'SIGTERM')
  }

  /** The answer of a prompt ends its turn; where the process goes away, that does. */
  async #take(answered: Promise<Json>): Promise<void> {
    let end: TurnEnd
    let answer: Json = {}
    try {
      answer = await answered
      end = turnEnd(answer)
    } catch (error) {
      if (this.#link.isClosed || !this.#stdio.writable) return
      end = turnFailure(error)
    }
    // The answer may be the first word of the turn. That the message was taken stands in the file before its turn has ended.
    this.#tell(this.#normaliser.heard())
    await new Promise((resolve) => setImmediate(resolve))
    this.#turn = undefined
    this.#coalescer.emit(this.#normaliser.ended(end, answer))
  }

  async #run(): Promise<End> {
    const exit = await this.#stdio.settled
    await this.#link.close()
    this.#coalescer.flush()
    const end = this.#endOf(exit)
    const how = end.kind === 'died' && !end.again ? 'failed' : 'interrupted'
    const why =
      end.kind === 'died' ? { error: end.error, cause: end.cause } : { error: `${this.#profile.name} was stopped` }
    const events = this.#normaliser.died({ reason: how, ...why }, this.#profile.own === true && end.kind === 'died')
    if (events.length > 0) this.#context.emit(events)
    return end
  }

  #endOf(exit: Exit): End {
    if (this.#failure !== undefined && !this.#isAsked) return this.#failure
    const end = this.#stdio.endOf(exit)
    if (end.kind !== 'died' || this.#profile.loginWords?.test(end.error) !== true) return end
    return { ...end, error: `${end.error} (${this.#profile.loginHint})`, cause: { ...end.cause, result: 'login' } }
  }

  #endsNow(): void {
    this.#isAsked = true
    this.#stderr.end()
  }

  #update(update: Json): void {
    this.#lastUpdate = performance.now()
    this.#tell(this.#normaliser.update(update))
  }

  /** Whatever it says in a turn shows that it has the prompt. */
  #tell(events: readonly AgentEvent[]): void {
    this.#coalescer.emit(events)
    if (this.#normaliser.book.inTurn) this.#onHeard()
  }

  #unknown(value: unknown, missingBytes: number): void {
    const raw = cutJson(value)
    const missing = missingBytes + (raw.missingBytes ?? 0)
    this.#coalescer.emit([{ type: 'raw', raw: raw.value, ...(missing > 0 ? { missingBytes: missing } : {}) }])
  }
}
