/** What a daemon lends to the conversation that it holds. */
import type { AgentContext } from '../agents/agent.js'
import type { AgentEvent } from '../session/events.js'
import type { SessionState } from '../session/state.js'
import type { Output } from './output.js'

export type Lent = Omit<AgentContext, 'nativeId' | 'start' | 'turns' | 'open' | 'emit'>

export interface Host {
  /** The start of this daemon. */
  readonly epoch: number
  /** The session's file. */
  readonly path: string
  readonly output: Output
  /** The session as its file tells it: events count once they are written. */
  state(): SessionState
  /** Waits for the moment at which an agent of this kind may start. */
  pace(): Promise<void>
  /** What an agent is started with, but for what the conversation adds. */
  context(): Lent
  /** Told of each event of the agent. */
  onEvent(event: AgentEvent): void
  /** The agent runs now, or its start was tried, or a person is asked before it may. */
  onStarted(): void
}
