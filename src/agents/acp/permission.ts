/** Requests for permission: what may be answered, and the answer. */
import type { Decided, EventOf } from '../../session/events.js'
import type { Decision } from '../agent.js'
import { short } from '../cut.js'
import { type Json, objects, string } from '../json.js'
import type { Profile } from './profile.js'

type Options = NonNullable<EventOf<'approval_request'>['options']>

/** Our own agent reads the reason of a denial here. The protocol has no place for one. */
const REASON = 'agentz/reason'

const kinds: readonly (readonly [string, Decided])[] = [
  ['allow_once', 'allow'],
  ['allow_always', 'allow_always'],
  ['reject_once', 'deny'],
  ['reject_always', 'deny'],
]

export class Permission {
  readonly #profile: Profile
  /** The first option of a kind counts: further ones reach further, into files of the person even. */
  readonly #chosen = new Map<Decided, { optionId: string; label: string }>()

  constructor(profile: Profile, options: unknown) {
    this.#profile = profile
    for (const [kind, decision] of kinds) {
      const option = objects(options).find((candidate) => candidate.kind === kind)
      const optionId = string(option?.optionId)
      if (optionId === undefined || this.#chosen.has(decision)) continue
      this.#chosen.set(decision, { optionId, label: short(string(option?.name) ?? decision) })
    }
  }

  /** A denial is always possible: an agent that offers none takes a cancel for it. */
  get options(): Options {
    const reason = this.#profile.own === true
    const denial = { decision: 'deny' as const, label: this.#chosen.get('deny')?.label ?? 'deny', reason }
    const yes = (['allow', 'allow_always'] as const).flatMap((decision) => {
      const option = this.#chosen.get(decision)
      return option === undefined ? [] : [{ decision, label: option.label }]
    })
    return [...yes, denial]
  }

  /** @returns undefined if the agent offers nothing of the kind */
  answer({ decision, reason }: Pick<Decision, 'decision' | 'reason'>): object | undefined {
    const option = this.#chosen.get(decision)
    if (option === undefined) return decision === 'deny' ? CANCELLED : undefined
    const outcome = { outcome: { outcome: 'selected', optionId: option.optionId } }
    const isTold = this.#profile.own === true && decision === 'deny' && reason !== undefined
    return isTold ? { ...outcome, _meta: { [REASON]: reason } } : outcome
  }
}

/** What the protocol wants for a question whose turn is cancelled. */
export const CANCELLED: Json = { outcome: { outcome: 'cancelled' } }
