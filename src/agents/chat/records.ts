/** What a history consists of. */
import type { Action } from './tools/tool.js'

/** A tool call as the model has made it, under an id of ours: theirs are not always different. */
export interface Call {
  readonly id: string
  readonly name: string
  readonly input: unknown
  /** Why it is none that could be done. */
  readonly invalid?: string
}

export type Outcome = 'done' | 'failed' | 'denied' | 'interrupted'

/** The result of a call, as the model and people are to read it. */
export interface CallResult {
  readonly text: string
  readonly outcome: Outcome
}

export type Record =
  /** What a person has said. Without text: a mere word to go on. */
  | { readonly type: 'message'; readonly messageId?: string; readonly text?: string }
  /** What the model has said. */
  | { readonly type: 'answer'; readonly text: string; readonly calls: readonly Call[] }
  /** A person was asked, about this very action. */
  | { readonly type: 'asked'; readonly id: string; readonly action?: Action }
  | { readonly type: 'started'; readonly id: string }
  | ({ readonly type: 'result'; readonly id: string; readonly name: string } & CallResult)
  /** A person has said that this need not be asked again. */
  | { readonly type: 'always'; readonly grant: string }
