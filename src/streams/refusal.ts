/** What a stream refuses, with what its client has to know to go on. */
import { AgentzError, type ErrorCode } from '../base/errors.js'

/** Facts beside the sentence; in HTTP each is a header. */
export interface Facts {
  readonly closed?: true
  readonly end?: number
  readonly epoch?: number
  readonly expected?: number
  readonly received?: number
}

export class Refusal extends AgentzError {
  readonly facts: Facts

  constructor(code: ErrorCode, message: string, hint: string, facts: Facts = {}) {
    super(code, message, { hint })
    this.facts = facts
  }
}
