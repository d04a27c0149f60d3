/** One app-server of codex for one session, with one thread. */
import { uptime } from 'node:os'
import { setImmediate as nextRound } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { AgentzError } from '../../base/errors.js'
import { killAll, treeOf } from '../../base/tree.js'
import type { AgentContext, Conversation, Decision, End, Message } from '../agent.js'
import { blame } from '../blame.js'
import { Coalescer } from '../coalesce.js'
import { short } from '../cut.js'
import { type Json, object, objects, string } from '../json.js'
import { sentenceOf } from '../process.js'
import { Stdio } from '../stdio.js'
import { nativeProgram } from './native.js'
import { CodexNormaliser, type Heard } from './normalise.js'
import { Outbox } from './outbox.js'
import { answerTo, decisionOn } from './questions.js'
import { Rpc, RpcError } from './rpc.js'
import { initializeParams, threadParams, userInput, versionOf } from './wire.js'

/** Its own journal, which the protocol tells in better words, and what follows its last words. */
const NOISE = /^\d{4}-\d\d-\d\dT|^WARNING: proceeding, even though|^Stack backtrace:|^\s+(\d+|at)[: ]/
/** Items of the history in one answer. */
const PAGE = 100
/** The kernel counts the start of a process in hundredths of a second. */
const TICKS = 100

export class CodexRun implements Conversation {
  readonly pid: number | undefined
  readonly ready: Promise<void>
  readonly ended: Promise<End>
  readonly steers = true
  readonly #context: AgentContext
  readonly #stdio: Stdio
  readonly #rpc: Rpc
  readonly #normaliser: CodexNormaliser
  readonly #coalescer: Coalescer
  readonly #outbox: Outbox
  #threadId = ''
  /** Seconds from boot to the start of the turn. */
  #turnStart = 0
  /** Why it was ended before it took anything. */
  #refused: End | undefined
  /** What was heard since a message was taken, for one round of the event loop. */
  #held: (() => void)[] | undefined

  constructor(context: AgentContext) {
    const { spec, env } = context
    this.#context = context
    this.#normaliser = new CodexNormaliser(context)
    this.#coalescer = new Coalescer((events) => context.emit(events))
    this.#stdio = new Stdio(context, {
      argv: [...(spec.command ?? [nativeProgram(env.PATH, spec.workingDir)]), 'app-server'],
      onLine: (line, missing) => this.#hear(line, missing),
      isNoise: (line) => NOISE.test(stripVTControlCharacters(line)),
    })
    this.pid = this.#stdio.pid
    this.#rpc = new Rpc((message) => this.#stdio.write(message))
    this.#outbox = new Outbox(
      (message) => this.#startTurn(message),
      () => this.#normaliser.book.inTurn,
    )
    this.ready = new Promise((resolve) => {
      this.#open().then(resolve, (error: unknown) => this.#refuse(error))
    })
    this.ended = this.#run()
  }

  /** Its history has each message with our id before the model hears of it. */
  async has({ messageId }: Message): Promise<boolean | undefined> {
    if (this.#context.nativeId === undefined) return false
    let cursor: unknown
    try {
      do {
        const params = { threadId: this.#threadId, limit: PAGE, sortDirection: 'desc', cursor }
        const page = await this.#rpc.request('thread/items/list', params)
        if (objects(page.data).some(({ item }) => object(item).clientId === messageId)) return true
        cursor = page.nextCursor
      } while (typeof cursor === 'string')
      return false
    } catch (error) {
      // An older one has no such list; or it has died just now.
      this.#context.warn('reading the history of codex', error)
      return undefined
    }
  }

  send(message: Message): Promise<void> {
    return this.#outbox.send(message)
  }

  async decide({ requestId, decision }: Decision): Promise<void> {
    const question = this.#take(requestId)
    await this.#rpc.answer(question.id, decisionOn(question, decision))
  }

  async answer(requestId: string, content: string): Promise<void> {
    const question = this.#take(requestId)
    await this.#rpc.answer(question.id, answerTo(question, content))
  }

  async interrupt(): Promise<void> {
    const { book, turnId, others } = this.#normaliser
    if (!book.inTurn) return
    const turnEnd = book.turnEnd()
    for (const [threadId, id] of [[this.#threadId, turnId], ...others]) {
      this.#rpc.request('turn/interrupt', { threadId, turnId: id }).catch((error: unknown) => {
        // The turn has ended meanwhile, or the process has.
        this.#context.warn('interrupting codex', error)
      })
    }
    await Promise.race([turnEnd, this.#stdio.exited])
    await this.#killTools()
    // The end is told after what waits for it.
    if (this.#held !== undefined) await nextRound()
  }

  finish(): Promise<void> {
    this.#outbox.close()
    return this.#stdio.finish('SIGTERM')
  }

  stop(): Promise<void> {
    this.#outbox.close()
    return this.#stdio.stop(() => this.interrupt(), 'SIGTERM')
  }

  /** A turn that is interrupted leaves its command running. What was there before the turn (servers of tools) stays. */
  async #killTools(): Promise<void> {
    if (this.pid === undefined) return
    const isOfTurn = (start: string) => Number(start) >= Math.floor(this.#turnStart * TICKS)
    await killAll(treeOf([this.pid]).filter(({ pid, start }) => pid !== this.pid && isOfTurn(start)))
  }

  async #open(): Promise<void> {
    const { spec, nativeId } = this.#context
    const { userAgent } = await this.#rpc.request('initialize', initializeParams())
    await this.#rpc.notify('initialized')
    await this.#checkLogin()
    const params = threadParams(spec)
    const opened =
      nativeId === undefined
        ? await this.#rpc.request('thread/start', params)
        : await this.#rpc.request('thread/resume', { threadId: nativeId, excludeTurns: true, ...params })
    this.#threadId = string(object(opened.thread).id) ?? ''
    this.#coalescer.emit(this.#normaliser.opened(opened, versionOf(userAgent)))
  }

  /** Else it would try for half a minute with no key at all. */
  async #checkLogin(): Promise<void> {
    let account: Json
    try {
      account = await this.#rpc.request('account/read', { refreshToken: false })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      this.#context.warn('codex does not tell whether somebody is logged in', error)
      return
    }
    if (account.account === null && account.requiresOpenaiAuth === true) {
      throw new RpcError('account/read', { message: 'nobody is logged in: run `codex login`', code: 401 })
    }
  }

  #refuse(error: unknown): void {
    if (!(error instanceof RpcError)) {
      // It is gone, and its exit says why.
      this.#context.warn('starting codex', error)
      return
    }
    const isForgotten = this.#context.nativeId !== undefined && /no rollout found|thread not found/.test(error.message)
    const cause = blame({ message: error.message, status: error.code === 401 ? 401 : undefined })
    this.#refused = isForgotten
      ? { kind: 'forgotten', error: short(error.message) }
      : { kind: 'died', error: short(`codex could not start: ${error.message}`), cause, again: false }
    this.stop().catch((failure: unknown) => this.#context.warn('stopping codex', failure))
  }

  async #startTurn({ messageId, content }: Message): Promise<string> {
    // While a turn runs this adds to it: unlike turn/steer it does not depend on that turn's still running when it arrives.
    const { turn } = await this.#rpc.request('turn/start', {
      threadId: this.#threadId,
      clientUserMessageId: messageId,
      input: userInput(content),
    })
    return string(object(turn).id) ?? ''
  }

  #take(requestId: string) {
    const question = this.#normaliser.book.take(requestId)
    if (question !== undefined) return question
    throw new AgentzError('CONFLICT', `codex does not wait for an answer to ${short(requestId)}`)
  }

  async #run(): Promise<End> {
    const exit = await this.#stdio.settled
    this.#release()
    const gone = new AgentzError('CONFLICT', `${sentenceOf('codex', exit)} before it took the message`)
    this.#rpc.close(gone)
    this.#outbox.fail(gone)
    this.#coalescer.flush()
    const end = this.#refused ?? this.#stdio.endOf(exit)
    const reason = end.kind === 'died' && !end.again ? 'failed' : 'interrupted'
    const why = end.kind === 'died' ? { error: end.error, cause: end.cause } : { error: 'codex was stopped' }
    const events = this.#normaliser.gone({ reason, ...why })
    if (events.length > 0) this.#context.emit(events)
    return end
  }

  #hear(line: string, missing: number): void {
    if (this.#held === undefined) this.#line(line, missing)
    else this.#held.push(() => this.#hear(line, missing))
  }

  #line(line: string, missing: number): void {
    const heard = this.#normaliser.line(line, missing)
    const { taken, ended } = heard
    const isTaken = taken !== undefined && this.#outbox.taken(taken)
    const settles = ended !== undefined && this.#outbox.turnEnded(ended)
    if (isTaken || settles) this.#hold()
    if (settles) this.#held?.push(() => this.#act(heard))
    else this.#act(heard)
  }

  #act({ events, answer, ...rest }: Heard): void {
    if (answer !== undefined && !this.#rpc.take(answer)) this.#context.warn('codex answers what nobody asked', answer)
    this.#coalescer.emit(events)
    if (events.some(({ type }) => type === 'turn_started')) this.#turnStart = uptime()
    if ('refused' in rest) this.#tell(this.#rpc.refuse(rest.refused, 'not supported'))
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

  /** Where nobody waits: its end will be told by its exit. */
  #tell(written: Promise<void>): void {
    written.catch((error: unknown) => this.#context.warn('writing to codex', error))
  }
}
