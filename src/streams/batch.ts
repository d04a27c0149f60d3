/** Appends that share a write: what becomes of each, each found by the next as if it had happened, and what the sidecar has to tell. */
import { type Decision, decide, type Wanted } from './decide.js'
import type { Append, Claim, Meta, Tuple } from './meta.js'

/** So many at once: what a client can have to wait for others at most. */
const MOST = 256
const MOST_BYTES = 8 * 1024 * 1024

export interface Taken extends Decision {
  readonly end: number
  readonly closed: boolean
}

export interface Job {
  readonly wanted: Wanted
  readonly resolve: (taken: Taken) => void
  readonly reject: (error: unknown) => void
}

/** Takes the next ones out of those that wait. */
export function takeJobs(queue: Job[]): Job[] {
  let [count, bytes] = [0, 0]
  for (; count < queue.length && count < MOST && (count === 0 || bytes < MOST_BYTES); count++) {
    bytes += queue[count]?.wanted.bytes.length ?? 0
  }
  return queue.splice(0, count)
}

export class Batch {
  readonly bytes: Buffer[] = []
  readonly from: number
  to: number
  readonly #taken: [Job, Decision, number, boolean][] = []
  readonly #claims = new Map<string, Claim>()
  #closed: boolean
  #closedBy: Tuple | undefined
  #seq: string | undefined
  #told = false

  /** Refuses at once what cannot be. */
  constructor(meta: Readonly<Meta>, from: number, json: boolean, jobs: readonly Job[]) {
    this.from = this.to = from
    this.#closed = meta.closed
    for (const job of jobs) {
      try {
        this.#add(meta, json, job)
      } catch (error) {
        job.reject(error)
      }
    }
  }

  /** What the sidecar has to tell before the bytes are written; undefined if they say it all. */
  get record(): Append | undefined {
    if (!this.#told) return undefined
    const [seq, closedBy] = [this.#seq, this.#closedBy]
    const producers = [...this.#claims].map(([id, [epoch, last]]) => [id, epoch, last] as Tuple)
    return {
      ...{ type: 'append', from: this.from, to: this.to },
      ...(seq !== undefined && { seq }),
      ...(producers.length > 0 && { producers }),
      ...(this.#closed && { closed: true as const }),
      ...(closedBy && { closedBy }),
    }
  }

  /** Tells all who were taken, new or not, that it is on the disk. */
  resolve(): void {
    for (const [{ resolve }, decision, end, closed] of this.#taken) resolve({ ...decision, end, closed })
  }

  #add(meta: Readonly<Meta>, json: boolean, job: Job): void {
    const { bytes, close, producer, seq } = job.wanted
    const decision = decide(
      {
        closed: this.#closed,
        closedBy: this.#closedBy ?? meta.closedBy,
        seq: this.#seq ?? meta.seq,
        claim: (id) => this.#claims.get(id) ?? meta.producers.get(id),
        end: this.to,
      },
      job.wanted,
    )
    if (decision.isNew) {
      this.bytes.push(bytes)
      this.to += bytes.length
      if (seq !== undefined) this.#seq = seq
      if (producer !== undefined) this.#claims.set(producer[0], [producer[1], producer[2]])
      if (close) [this.#closed, this.#closedBy] = [true, producer]
      this.#told ||= !json || seq !== undefined || producer !== undefined || close
    }
    this.#taken.push([job, decision, this.to, this.#closed])
  }
}
