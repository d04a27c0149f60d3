/** One process of claude for one session: many turns, messages at any time. */
import { setTimeout as delay, setImmediate as nextRound } from 'node:timers/promises'
import { AgentzError } from '../../base/errors.js'
import { DEFAULT_MODE } from '../../session/mode.js'
import type { AgentContext, Conversation, Decision, End, Message } from '../agent.js'
import { Coalescer } from '../coalesce.js'
import { short } from '../cut.js'
import { sentenceOf } from '../process.js'
import { Stdio } from '../stdio.js'
import { historyHolds, type Where } from './history.js'
import { ClaudeNormaliser, type Heard } from './normalise.js'
import { Receipts } from './receipts.js'
import {
  answer,
  answerQuestion,
  claudeArgs,
  initializeRequest,
  interruptRequest,
  modeRequest,
  nativeIdOf,
  userMessage,
  uuidOf,
} from './wire.js'

/** How often a turn is looked for that is to be interrupted. */
const LOOK_MS = 10

export class ClaudeRun implements Conversation {
  readonly pid: number | undefined
  readonly ready: Promise<void>
  readonly ended: Promise<End>
  readonly steers = true
  readonly #context: AgentContext
  readonly #stdio: Stdio
  readonly #normaliser: ClaudeNormaliser
  readonly #coalescer: Coalescer
  readonly #receipts: Receipts
  /** What is to be done behind a receipt; undefined while lines are handled as they come. */
  #held: (() => void)[] | undefined
  #isStopping = false
  #requests = 0
  #onReady: () => void = () => undefined

  constructor(context: AgentContext) {
    const { spec, nativeId } = context
    this.#context = context
    const id = nativeId ?? nativeIdOf(spec.sessionId, context.start)
    const mode = spec.permissionMode ?? DEFAULT_MODE
    this.#normaliser = new ClaudeNormaliser({ turns: context.turns, nativeId: id })
    this.#receipts = new Receipts(
      () => this.#where(),
      (message, detail) => context.warn(message, detail),
    )
    this.#coalescer = new Coalescer((events) => context.emit(events))
    this.#stdio = new Stdio(context, {
      argv: [
        ...(spec.command ?? ['claude']),
        ...claudeArgs(spec, [nativeId === undefined ? '--session-id' : '--resume', id]),
      ],
      onLine: (line, missing) => this.#hear(line, missing),
    })
    this.pid = this.#stdio.pid
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve
    })
    this.ended = this.#run()
    this.#stdio.tell(initializeRequest)
    // Asked for once more, because the answer says what it is: the flag alone is not read back before the first turn.
    this.#stdio.tell(modeRequest(mode))
  }

  /** What comes while a tool runs is told to the model with its result; what comes while the model speaks waits. */
  get queues(): boolean {
    return !this.#normaliser.book.hasOpenTools
  }

  has({ messageId, content }: Message): Promise<boolean | undefined> {
    return historyHolds(this.#where(), uuidOf(this.#context.spec.sessionId, messageId), content)
  }

  /** What is written while a turn runs is taken at the end of a tool or of the turn; also if that end is an interrupt. */
  async send({ messageId, content }: Message): Promise<void> {
    const uuid = uuidOf(this.#context.spec.sessionId, messageId)
    const taken = this.#receipts.of(uuid)
    await this.#stdio.write(userMessage(content, uuid))
    const gone = this.#stdio.settled.then((exit) => {
      throw new AgentzError('CONFLICT', `${sentenceOf('claude', exit)} before it took the message`)
    })
    await Promise.race([taken, gone])
  }

  async decide(decision: Decision): Promise<void> {
    await this.#stdio.write(answer(this.#take(decision.requestId), decision))
  }

  async answer(requestId: string, content: string): Promise<void> {
    await this.#stdio.write(answerQuestion(this.#take(requestId), content))
  }

  async interrupt(): Promise<void> {
    if (!this.#normaliser.book.inTurn) return
    const turnEnd = this.#normaliser.book.turnEnd()
    this.#stdio.tell(interruptRequest(`interrupt-${++this.#requests}`))
    await Promise.race([turnEnd, this.#stdio.exited])
    // The end is told after what waits for it.
    if (this.#held !== undefined) await nextRound()
  }

  finish(): Promise<void> {
    return this.#stdio.finish('SIGINT')
  }

  /** SIGINT: claude then kills its tools and puts its files in order. */
  stop(): Promise<void> {
    this.#isStopping = true
    return this.#stdio.stop(() => this.#quieten(), 'SIGINT')
  }

  /** A message that waits begins a turn of its own when the one before it was interrupted. */
  async #quieten(): Promise<void> {
    await this.interrupt()
    while (this.#receipts.waiting && this.#stdio.writable) {
      await delay(LOOK_MS)
      await this.interrupt()
    }
  }

  #where(): Where {
    const { env, spec } = this.#context
    return { env, workingDir: spec.workingDir, nativeId: this.#normaliser.nativeId }
  }

  #take(requestId: string) {
    const question = this.#normaliser.book.take(requestId)
    if (question !== undefined) return question
    throw new AgentzError('CONFLICT', `claude does not wait for an answer to ${short(requestId)}`)
  }

  async #run(): Promise<End> {
    const exit = await this.#stdio.settled
    this.#release()
    this.#coalescer.flush()
    const { forgotten, refused } = this.#normaliser
    const end: End =
      refused === undefined
        ? this.#stdio.endOf(exit)
        : { kind: 'died', error: refused, cause: { result: 'permission-mode', message: refused }, again: false }
    const reason = end.kind === 'died' && !end.again ? 'failed' : 'interrupted'
    const why = end.kind === 'died' ? { error: end.error, cause: end.cause } : { error: 'claude was stopped' }
    const events = this.#normaliser.book.endTurn({ reason, ...why })
    if (events.length > 0) this.#context.emit(events)
    return forgotten === undefined || end.kind === 'finished' ? end : { kind: 'forgotten', error: forgotten }
  }

  #hear(line: string, missing: number): void {
    if (this.#held === undefined) this.#line(line, missing)
    else this.#held.push(() => this.#hear(line, missing))
  }

  #line(line: string, missing: number): void {
    const heard = this.#normaliser.line(line, missing)
    const ends = heard.events.some(({ type }) => type === 'turn_ended') && this.#receipts.turnEnded()
    const receipts = heard.taken.filter((uuid) => this.#receipts.taken(uuid))
    if (ends || receipts.length > 0) this.#hold()
    if (ends) this.#held?.push(() => this.#act(heard))
    else this.#act(heard)
  }

  #act({ events, replies, ready }: Heard): void {
    this.#coalescer.emit(events)
    for (const reply of replies) this.#stdio.tell(reply)
    if (ready) this.#onReady()
    if (events.some(({ type }) => type === 'turn_started')) void this.#receipts.turnBegan()
    if (this.#normaliser.refused !== undefined && !this.#isStopping) void this.stop()
  }

  /** Whoever sent the message hears that it was taken before the end of its turn is told, though both came in one piece. */
  #hold(): void {
    this.#held = []
    void nextRound().then(() => this.#release())
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const act of held) act()
  }
}
