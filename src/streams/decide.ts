/** Whether an append is taken: closure, content, producers and sequence, in the order in which the protocol wants it. Pure. */
import type { Claim, Meta, Tuple } from './meta.js'
import { Refusal } from './refusal.js'

export interface Wanted {
  /** As they go into the file; empty to close alone. */
  readonly bytes: Buffer
  readonly close: boolean
  readonly producer?: Tuple | undefined
  readonly seq?: string | undefined
}

/** A stream as the next append of a batch finds it. */
export type Draft = Pick<Meta, 'closed' | 'closedBy' | 'seq'> & {
  readonly claim: (producer: string) => Claim | undefined
  readonly end: number
}

/** What was taken, or was taken before; `seq` is the highest of the producer. */
export interface Decision {
  readonly isNew: boolean
  readonly producer?: { readonly epoch: number; readonly seq: number } | undefined
}

/** @throws Refusal */
export function decide(draft: Draft, { bytes, close, producer, seq }: Wanted): Decision {
  if (draft.closed) return decideClosed(draft, bytes, close, producer)
  if (producer !== undefined) {
    const claim = draft.claim(producer[0])
    const last = checkClaim(claim, producer)
    if (last !== undefined) return { isNew: false, producer: { epoch: producer[1], seq: last } }
  }
  if (seq !== undefined && draft.seq !== undefined && Buffer.compare(Buffer.from(seq), Buffer.from(draft.seq)) <= 0) {
    throw new Refusal('CONFLICT', `Stream-Seq ${JSON.stringify(seq)} is not above the last one`, 'Send a higher one.')
  }
  return { isNew: true, producer: producer && { epoch: producer[1], seq: producer[2] } }
}

function decideClosed(draft: Draft, bytes: Buffer, close: boolean, producer: Tuple | undefined): Decision {
  if (producer?.every((part, at) => part === draft.closedBy?.[at])) {
    return { isNew: false, producer: { epoch: producer[1], seq: producer[2] } }
  }
  if (close && bytes.length === 0 && producer === undefined) return { isNew: false }
  throw new Refusal('CONFLICT', 'the stream is closed', 'Nothing can be added to it any more; use another one.', {
    closed: true,
    end: draft.end,
  })
}

/** @returns the last sequence number if this one was taken already. @throws Refusal */
function checkClaim(claim: Claim | undefined, [id, epoch, seq]: Tuple): number | undefined {
  const name = JSON.stringify(id)
  if (claim !== undefined && epoch < claim[0]) {
    const hint = 'Take a higher epoch, and begin again with Producer-Seq 0.'
    throw new Refusal('STREAM_FENCED', `producer ${name} is at epoch ${claim[0]} by now`, hint, { epoch: claim[0] })
  }
  if (claim === undefined || epoch > claim[0]) {
    if (seq === 0) return undefined
    if (claim === undefined) throw gap(name, 0, seq)
    throw new Refusal('BAD_INPUT', `a new epoch of producer ${name} must begin with Producer-Seq 0`, 'Send 0.')
  }
  if (seq <= claim[1]) return claim[1]
  if (seq > claim[1] + 1) throw gap(name, claim[1] + 1, seq)
  return undefined
}

const gap = (name: string, expected: number, received: number) =>
  new Refusal('CONFLICT', `producer ${name} sent Producer-Seq ${received} before ${expected}`, 'Send that one first.', {
    expected,
    received,
  })
