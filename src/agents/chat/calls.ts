/** A tool call from the model's wish to its result: checked, asked for, noted as begun, done. */
import { reason } from '../../base/errors.js'
import { cut } from '../cut.js'
import type { Client, Decision, Described } from './client.js'
import type { OpenCall } from './history.js'
import { grantOf, isOffered, mustAsk } from './modes.js'
import type { CallResult } from './records.js'
import type { Session } from './session.js'
import type { Action, ChatTool, ToolCall } from './tools/tool.js'

const LOST = 'This was interrupted. Whether it was done, in part or at all, is not known: look before you do it again.'
const STOPPED = 'The turn was stopped before this had ended.'
const MOVED = 'The path leads elsewhere than when this was asked for. Nothing was done.'

export class Calls {
  readonly #session: Session
  readonly #client: Client
  readonly #stop: AbortController
  /** Calls that the client knows of and waits for. */
  readonly #told = new Set<string>()

  constructor(session: Session, client: Client, stop: AbortController) {
    this.#session = session
    this.#client = client
    this.#stop = stop
  }

  /** Gives each open call its result, unless the turn is stopped before. */
  async settle(): Promise<void> {
    const { history } = this.#session
    for (const call of history.open) {
      if (this.#stop.signal.aborted) return
      const result = call.started ? { text: LOST, outcome: 'interrupted' as const } : await this.#resultOf(call)
      if (result !== undefined) await this.#end(call, result)
    }
  }

  /** Gives up what is open. @param why as the model will read it */
  async giveUp(why: string = STOPPED): Promise<void> {
    for (const call of this.#session.history.open) {
      await this.#end(call, { text: call.started && !this.#told.has(call.id) ? LOST : why, outcome: 'interrupted' })
    }
  }

  async #end(call: OpenCall, result: CallResult): Promise<void> {
    const { history } = this.#session
    const { content: text } = cut(result.text)
    history.add({ type: 'result', id: call.id, name: call.name, text, outcome: result.outcome })
    if (this.#told.delete(call.id)) await this.#client.ended(call, { ...result, text })
  }

  /** @returns undefined if the turn is stopped: then all that is open ends the same way */
  async #resultOf(call: OpenCall): Promise<CallResult | undefined> {
    const { place, history, mode } = this.#session
    let wish: ToolCall
    try {
      wish = this.#toolOf(call).call(call.input, place)
    } catch (error) {
      await this.#tell({ call, kind: 'other', title: call.name })
      return failed(error)
    }
    const { title, action } = wish
    const described = { call, kind: this.#toolOf(call).kind, title, action }
    const asks = mustAsk(mode, action, history.grants)
    // The client knows it from the process that asked before this one.
    if (call.asked && asks) this.#told.add(call.id)
    else await this.#tell(described)
    // The answer that may be on its way is to a question that an earlier process has asked.
    if (call.action !== undefined && !isSame(call.action, action)) return { text: MOVED, outcome: 'failed' }
    if (asks) {
      if (!call.asked) history.add({ type: 'asked', id: call.id, action })
      const decision = await this.#decision(described)
      if (decision.outcome === 'cancelled') this.#stop.abort()
      if (this.#stop.signal.aborted) return undefined
      if (decision.outcome === 'deny') return { text: denial(decision.reason), outcome: 'denied' }
      if (decision.outcome === 'always') history.add({ type: 'always', grant: grantOf(action) })
    }
    return this.#run(call, wish)
  }

  async #run(call: OpenCall, { action }: ToolCall): Promise<CallResult | undefined> {
    const { place, history, toolEnv } = this.#session
    const { signal } = this.#stop
    try {
      // A link may have been changed while a person was thinking.
      const wish = this.#toolOf(call).call(call.input, place)
      if (!isSame(wish.action, action)) return { text: MOVED, outcome: 'failed' }
      history.add({ type: 'started', id: call.id })
      await this.#client.begun(call)
      const { text, failed } = await wish.run({ cwd: place.cwd, env: toolEnv, signal })
      return { text, outcome: failed ? 'failed' : 'done' }
    } catch (error) {
      return signal.aborted ? undefined : failed(error)
    }
  }

  /** @throws if there is none, or the model has called it wrongly */
  #toolOf({ name, invalid }: OpenCall): ChatTool {
    const tool = this.#session.tools.find((tool) => tool.name === name)
    if (tool === undefined) throw new Error(`There is no tool ${name}`)
    if (!isOffered(this.#session.mode, tool)) throw new Error(`The permission mode does not allow the tool ${name}`)
    if (invalid !== undefined) throw new Error(invalid)
    return tool
  }

  async #tell(described: Described): Promise<void> {
    this.#told.add(described.call.id)
    await this.#client.called(described)
  }

  /** The answer to a question; whoever stops the turn does not wait for it. */
  async #decision(described: Described): Promise<Decision> {
    const { signal } = this.#stop
    const { action } = described
    const always = action?.kind === 'run' ? 'Allow this command for the session' : 'Allow this tool for the session'
    const label = action?.kind !== 'run' && action?.guarded ? 'Allow this file for the session' : always
    const stopped = new Promise<Decision>((resolve) => {
      signal.addEventListener('abort', () => resolve({ outcome: 'cancelled' }), { once: true })
    })
    return Promise.race([this.#client.mayRun(described, label), stopped])
  }
}

const isSame = (one: Action, other: Action): boolean => JSON.stringify(one) === JSON.stringify(other)

const failed = (error: unknown): CallResult => ({ text: reason(error), outcome: 'failed' })

const denial = (reason: string | undefined): string =>
  reason === undefined ? 'A person has denied this.' : `A person has denied this, and says: ${reason}`
