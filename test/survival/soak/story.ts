/** One session of the soak, from its creation to its fate: what is said to it by two writers, what it asks, how it is ended. */
import { spawn } from 'node:child_process'
import { uuidOf } from '../../../src/agents/claude/wire.js'
import { sessionLog } from '../../../src/base/paths.js'
import { readSession, type SessionState } from '../../../src/session/state.js'
import { isLive } from '../../../src/session/status.js'
import { newHistory, type SessionHistory } from './history.js'
import { outcomeOf, pause } from './process.js'
import type { World } from './world.js'

export class Story {
  readonly history: SessionHistory
  readonly id: string
  readonly #world: World
  /** Nothing is said to it any more, and nothing carries it. */
  isOver = false

  constructor(world: World, id: string, isProgram = false) {
    this.#world = world
    this.id = id
    this.history = newHistory(id, isProgram)
  }

  get path(): string {
    return sessionLog(this.#world.agentz.home, this.id)
  }

  state(): SessionState {
    return readSession(this.#world.agentz.home, this.id)
  }

  /** Whether its agent has something to do now. */
  get isAtWork(): boolean {
    const { inTurn, status } = this.state()
    return inTurn || (this.history.isProgram && status === 'running')
  }

  /** Plays to the end; resolves when the session has ended, was told nothing more, and nothing carries it. */
  async play(): Promise<void> {
    const { random } = this.#world
    const asking = this.#answer()
    if (this.history.isProgram) await pause(random.between(50, 3000))
    else await Promise.all(['a', 'b'].map((writer) => this.#write(writer, random.between(1, 3))))
    const fate = random.weighed([
      ['complete', 6],
      ['cancel', 2],
      ['stop', 2],
    ] as const)
    if (fate === 'cancel') await this.#cancel()
    if (fate === 'stop') await this.#stop()
    await this.#quiet()
    this.isOver = true
    await asking
  }

  async #write(writer: string, times: number): Promise<void> {
    const { random, server, agentz } = this.#world
    for (let turn = 1; turn <= times; turn++) {
      await pause(random.between(50, 1500))
      const messageId = `m-${writer}-${turn}`
      const content = random.chance(0.25) ? `ask ${messageId}` : `work ${random.between(2, 20)} ${messageId}`
      if (random.chance(0.15)) {
        const { out } = await outcomeOf(
          agentz.spawn(['send', this.id, '--json', content]),
          random.chance(0.2) ? random.between(20, 250) : undefined,
        )
        // Killed, or told of a full disk: whether the message is kept was not acknowledged.
        if (out !== '') this.history.messages.push({ writer, messageId: JSON.parse(out).messageId })
        continue
      }
      const { status, body } = await server.insist('POST', `/v1/sessions/${this.id}/messages`, { messageId, content })
      // A conflict: an earlier attempt got through, and its answer was lost with the server.
      const isKept = status === 202 || (status === 409 && body.error?.message.includes('has a message'))
      if (!isKept) throw new Error(`message ${messageId} of ${this.id}: ${status} ${JSON.stringify(body)}`)
      this.history.messages.push({ writer, messageId })
    }
  }

  /** Answers what is asked, until it is over. What is undecided is decided by what the agent wrote down. */
  async #answer(): Promise<void> {
    const { server } = this.#world
    while (!this.isOver) {
      const { approvals, inputs, status } = this.state()
      for (const requestId of isLive(status) ? approvals.keys() : []) await this.#allow(requestId)
      for (const [requestId, { subject }] of isLive(status) ? inputs : []) {
        const path = `/v1/sessions/${this.id}/inputs/${encodeURIComponent(requestId)}`
        const content = this.#wasGiven(String(subject)) ? 'skip' : 'send'
        this.#count(requestId, await server.insist('POST', path, { content }))
      }
      await pause(100)
    }
  }

  async #allow(requestId: string): Promise<void> {
    const { random, server, agentz } = this.#world
    if (random.chance(0.3)) {
      const { code } = await outcomeOf(agentz.spawn(['approve', this.id, requestId]))
      if (code === 0) this.#count(requestId, { status: 200 })
      return
    }
    const path = `/v1/sessions/${this.id}/approvals/${encodeURIComponent(requestId)}`
    this.#count(requestId, await server.insist('POST', path, { decision: 'allow' }))
  }

  #count(requestId: string, { status }: { status: number }): void {
    // Refused: the question has gone with its daemon, or the session has ended.
    if (status === 200 && !this.history.answers.includes(requestId)) this.history.answers.push(requestId)
  }

  async #cancel(): Promise<void> {
    const { status, body } = await this.#world.server.insist('POST', `/v1/sessions/${this.id}/cancel`, {})
    if (status !== 200) throw new Error(`cancel of ${this.id}: ${status} ${JSON.stringify(body)}`)
    // Not done: it had ended before, or an earlier attempt whose answer was lost has ended it.
    if (body.done === true || this.state().status === 'cancelled') this.history.fate = 'cancelled'
  }

  async #stop(): Promise<void> {
    this.history.fate = 'stopped'
    await outcomeOf(spawn('systemctl', ['--user', 'stop', `agentz-session-${this.id}.service`]))
  }

  /** Until it has ended. A message whose sender died before it could start the unit is kept, and is read with the next one. */
  async #quiet(): Promise<void> {
    for (let rounds = 0; ; ) {
      const { status, messages } = this.state()
      const isOver = !isLive(status) && !this.#carried()
      const unread = [...messages.values()].some(({ sent }) => !sent)
      if (isOver && (!unread || this.history.fate !== undefined)) return
      if (isOver && rounds++ < 3) {
        this.#world.count('nudges')
        const content = `work 1 nudge-${rounds}`
        await this.#world.server.insist('POST', `/v1/sessions/${this.id}/messages`, {
          messageId: `m-n-${rounds}`,
          content,
        })
      }
      await pause(100)
    }
  }

  #carried(): boolean {
    return this.#world.units.carries(this.id)
  }

  #wasGiven(messageId: string): boolean {
    const uuid = uuidOf(this.id, messageId)
    return this.#world.notes(this.id).some(({ got }) => got === uuid)
  }
}
