/**
 * What differs between agents that speak the Agent Client Protocol. Everything that is not here is the same for all of them,
 * so that one more agent is one more object. Light: every daemon and the command line load it.
 */
import type { Mode } from '../../session/mode.js'
import type { Spec } from '../../session/spec.js'
import type { Json } from '../json.js'

export type Env = Readonly<Record<string, string>>

export interface Profile {
  readonly name: string
  /** Its command line. `command` of the specification names another program for it, with the arguments that go first. */
  argv(spec: Pick<Spec, 'command' | 'model' | 'sessionId'>): string[]
  /** Variables beside those of the session; permissions go this way where the protocol cannot carry them. */
  env?(spec: Pick<Spec, 'model' | 'permissionMode' | 'sessionId'>, env: Env): Record<string, string>
  /** Our words for permission modes in its own; absent where a person gives its own word. */
  readonly modes?: Readonly<Partial<Record<Mode, string>>>
  /** Its model is on its command line or in its environment, and not in the protocol. */
  readonly modelAtStart?: true
  /** Its questions outlive its process, and denials reach it with their reason: our own agent. */
  readonly own?: true
  /** The first word of a tool call has no input yet, or not the real one. */
  readonly sketchesTools?: true
  /** A tool that was denied is not spoken of again. */
  readonly silentDenial?: true
  /** Its name of a tool, where the id of a call has it. */
  readonly toolInId?: RegExp
  /** A message to the person that is in truth the news that the mode has changed; the first group is the mode. */
  readonly modeNews?: RegExp
  /** It answers `session/load` before it has replayed the history; so long nothing more must have come, in milliseconds. */
  readonly replayPauseMs?: number
  /** What its history has in the place of the person, and the person has not said. */
  readonly notSaid?: RegExp
  /** Keeps the history of a session from getting lost, before it is loaded and after. */
  mend?(nativeId: string, env: Env): void
  /** A message is in its history before anything is done about it, so that one that is not there was never had. */
  readonly recordsFirst?: true
  /** Requests of the agent that it makes though it was told that nobody serves them. */
  readonly vainRequests?: readonly string[]
  /** Lines of stderr that say nothing to anybody. */
  readonly noise?: RegExp
  /** Its stderr tells only how it broke its pipes, once it was asked to end. */
  readonly mutters?: true
  /** Whether an error of `session/load` or `session/resume` says that it does not know the session. */
  forgets?(error: Json): boolean
  /** What to do where nobody is logged in. */
  readonly loginHint: string
  /** Last words of a process that has ended because nobody is logged in. */
  readonly loginWords?: RegExp
  /** What else may keep a mode from being set. */
  readonly modeHint?: string
}
