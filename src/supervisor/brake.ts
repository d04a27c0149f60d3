/** Stops a recover that only makes things worse: nothing starts, or whatever starts is refused by its model. */
import type { SessionState } from '../session/state.js'

/** So many in a row. */
const MOST = 3
const refusals: ReadonlySet<string | undefined> = new Set(['login', 'quota'])

/** A session that was resumed, as it is now. */
export interface Resumed {
  readonly kind: string
  look(): SessionState
}

export class Brake {
  #unstarted = 0
  readonly #recent = new Map<string, Resumed[]>()

  started(session: Resumed): void {
    this.#unstarted = 0
    const { kind } = session
    this.#recent.set(kind, [...(this.#recent.get(kind) ?? []), session].slice(-MOST))
  }

  notStarted(): void {
    this.#unstarted++
  }

  /** Why no more sessions of an agent are to be resumed now; undefined if they may be. */
  holds(kind: string): string | undefined {
    if (this.#unstarted >= MOST) return `${MOST} sessions in a row could not be started`
    const recent = this.#recent.get(kind) ?? []
    if (recent.length < MOST) return undefined
    const results = recent
      .map(({ look }) => look())
      .map(({ status, cause }) => (status === 'failed' ? cause?.result : ''))
    return results.every((result) => refusals.has(result))
      ? `the last ${MOST} sessions of ${kind} that were resumed failed (${results.at(-1)})`
      : undefined
  }
}
