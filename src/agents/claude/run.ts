/** One process of claude for one session: many turns, messages at any time. */
import { AgentzError } from '../../base/errors.js'
import { DEFAULT_MODE } from '../../session/mode.js'
import type { AgentContext, Conversation, Decision, End, Message } from '../agent.js'
import { Coalescer } from '../coalesce.js'
import { short } from '../cut.js'
import { sentenceOf } from '../process.js'
import { Stdio } from '../stdio.js'
import { historyHolds } from './history.js'
import { ClaudeNormaliser } from './normalise.js'
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

export class ClaudeRun implements Conversation {
  readonly pid: number | undefined
  readonly ready: Promise<void>
  readonly ended: Promise<End>
  readonly steers = true
  readonly #context: AgentContext
  readonly #stdio: Stdio
  readonly #normaliser: ClaudeNormaliser
  readonly #coalescer: Coalescer
  readonly #nativeId: string
  /** Messages that were written and not yet taken, by their uuid. */
  readonly #sending = new Map<string, () => void>()
  #requests = 0
  #onReady: () => void = () => undefined

  constructor(context: AgentContext) {
    const { spec, nativeId } = context
    this.#context = context
    this.#nativeId = nativeId ?? nativeIdOf(spec.sessionId)
    const mode = spec.permissionMode ?? DEFAULT_MODE
    this.#normaliser = new ClaudeNormaliser({ turns: context.turns, nativeId: this.#nativeId })
    this.#coalescer = new Coalescer((events) => context.emit(events))
    this.#stdio = new Stdio(context, {
      argv: [...(spec.command ?? ['claude']), ...claudeArgs(spec, nativeId)],
      onLine: (line, missing) => this.#line(line, missing),
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

  has({ messageId }: Message): Promise<boolean | undefined> {
    const { env, spec } = this.#context
    return historyHolds(env, spec.workingDir, this.#nativeId, uuidOf(spec.sessionId, messageId))
  }

  async send({ messageId, content }: Message): Promise<void> {
    const uuid = uuidOf(this.#context.spec.sessionId, messageId)
    // It says a message again when it takes it from its queue.
    const taken = new Promise<void>((resolve) => this.#sending.set(uuid, resolve))
    await this.#stdio.write(userMessage(content, uuid))
    const gone = this.#stdio.exited.then((exit) => {
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
  }

  finish(): Promise<void> {
    return this.#stdio.finish('SIGINT')
  }

  /** SIGINT: claude then kills its tools and puts its files in order. */
  stop(): Promise<void> {
    return this.#stdio.stop(() => this.interrupt(), 'SIGINT')
  }

  #take(requestId: string) {
    const question = this.#normaliser.book.take(requestId)
    if (question !== undefined) return question
    throw new AgentzError('CONFLICT', `claude does not wait for an answer to ${short(requestId)}`)
  }

  async #run(): Promise<End> {
    const exit = await this.#stdio.settled
    this.#coalescer.flush()
    const end = this.#stdio.endOf(exit)
    const reason = end.kind === 'died' && !end.again ? 'failed' : 'interrupted'
    const { forgotten } = this.#normaliser
    const why = end.kind === 'died' ? { error: end.error, cause: end.cause } : { error: 'claude was stopped' }
    const events = this.#normaliser.book.endTurn({ reason, ...why })
    if (events.length > 0) this.#context.emit(events)
    return forgotten === undefined || end.kind === 'finished' ? end : { kind: 'forgotten', error: forgotten }
  }

  #line(line: string, missing: number): void {
    const { events, taken, replies, ready } = this.#normaliser.line(line, missing)
    this.#coalescer.emit(events)
    for (const uuid of taken) {
      this.#sending.get(uuid)?.()
      this.#sending.delete(uuid)
    }
    for (const reply of replies) this.#stdio.tell(reply)
    if (ready) this.#onReady()
  }
}
