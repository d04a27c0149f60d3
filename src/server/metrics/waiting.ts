/** What sessions ask and nobody has answered yet. A log is folded once, and then as it grows, for as long as its session waits. */

import { closeSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { asText } from '../../base/field.js'
import type { Home } from '../../base/paths.js'
import type { Loose } from '../../session/life.js'
import { SessionFold } from '../../session/state.js'
import { openCounted } from './log.js'

export interface Asked {
  readonly count: number
  /** Milliseconds since 1970, as the oldest says itself. */
  readonly oldest: number | undefined
}

export class Waiting {
  readonly #home: Home
  readonly #folds = new Map<string, SessionFold>()

  constructor(home: Home) {
    this.#home = home
  }

  /** @param ids of the sessions that wait now */
  async look(ids: readonly string[]): Promise<Record<'approval' | 'input', Asked>> {
    const waits = new Set(ids)
    for (const id of this.#folds.keys()) if (!waits.has(id)) this.#folds.delete(id)
    const [approvals, inputs]: [Loose[], Loose[]] = [[], []]
    for (const id of ids) {
      const fold = this.#folds.get(id) ?? new SessionFold(id)
      this.#folds.set(id, fold)
      this.#read(id, fold)
      if (fold.hasBegun) {
        approvals.push(...fold.state.approvals.values())
        inputs.push(...fold.state.inputs.values())
      }
      await otherWork()
    }
    return { approval: asked(approvals), input: asked(inputs) }
  }

  #read(id: string, fold: SessionFold): void {
    const fd = openCounted(this.#home, id)
    if (fd === undefined) return
    try {
      fold.read(fd)
    } finally {
      closeSync(fd)
    }
  }
}

function asked(requests: readonly Loose[]): Asked {
  const times = requests.map(({ timestamp }) => Date.parse(asText(timestamp))).filter((time) => !Number.isNaN(time))
  return { count: requests.length, oldest: times.length === 0 ? undefined : Math.min(...times) }
}
