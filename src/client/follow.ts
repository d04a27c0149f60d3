/**
 * A log as it grows, over any number of connections: each begins at the offset where the one before has ended, so that nothing comes
 * twice and nothing is missing, however the server ends.
 */
import { AgentzError } from '../base/errors.js'
import type { Damage } from '../log/read.js'
import { type Message, messagesIn } from './sse.js'
import { broken, errorIn, isPassing, open, type Transport } from './transport.js'
import type { Item } from './types.js'

/** Before the first attempt to connect again, and at most, in milliseconds. */
const [SOON_MS, LATE_MS] = [100, 5000]
/** The server says something every 15 s: what is silent for so long is broken, also where nobody says so. */
const SILENT_MS = 45_000

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of each connection that was lost, and in how many milliseconds the next one is tried. */
  readonly onRetry?: ((error: unknown, delayMs: number) => void) | undefined
}

interface Inner extends FollowOptions {
  /** The server has answered before, so that it comes back. */
  readonly isKnown?: boolean
  readonly silentMs?: number
}

/** @throws AgentzError if it cannot be followed (any more); a server that does not answer counts as such only at the beginning */
export async function* follow<E>(
  transport: Transport,
  path: string,
  from: number,
  { signal, onRetry, isKnown = false, silentMs = SILENT_MS }: Inner,
): AsyncGenerator<Item<E>, never> {
  let at = from
  let connected = isKnown
  let failures = 0
  for (;;) {
    let why: unknown
    const request = { path: `${path}?offset=${at}`, headers: { accept: 'text/event-stream' }, signal }
    try {
      const { body } = await open(transport, request)
      connected = true
      for await (const message of messagesIn(heard(body, silentMs))) {
        const item = itemOf<E>(message, at)
        failures = 0
        at = item.offset
        yield item
      }
      why = new AgentzError('NO_SERVER', `${transport.where} has ended the stream`)
    } catch (error) {
      why = error instanceof AgentzError || signal?.aborted ? error : broken(transport, request, error)
    }
    signal?.throwIfAborted()
    if (!connected) throw why
    if (isOtherFile(why, at)) {
      at = 0
      yield { offset: 0, reset: { why: (why as Error).message } }
      continue
    }
    if (!isPassing(why)) throw why
    // Many clients of one server must not come back all at once.
    const delayMs = Math.round(Math.min(LATE_MS, SOON_MS * 2 ** failures++) * (0.5 + Math.random() / 2))
    onRetry?.(why, delayMs)
    await pause(delayMs, signal)
  }
}

/** Offsets that came from a log are good for ever, unless another file has taken its place. */
const isOtherFile = (error: unknown, at: number): boolean =>
  error instanceof AgentzError && error.code === 'BAD_INPUT' && at > 0

function itemOf<E>({ id, event, data }: Message, at: number): Item<E> {
  if (event === 'error') throw errorIn(data) ?? new AgentzError('INTERNAL', `the server has told an error: ${data}`)
  if (event === 'reset') return { offset: 0, reset: JSON.parse(data) as { why: string } }
  if (event === 'damaged') {
    const damaged = JSON.parse(data) as Damage
    // It has no address of its own; behind it another line begins.
    return { offset: damaged.at + damaged.length + 1, damaged }
  }
  const offset = Number(id)
  try {
    return { offset, event: JSON.parse(data) as E, line: data }
  } catch {
    // It looks like a record, and is damaged inside.
    return { offset, damaged: { at, length: offset - at - 1 } }
  }
}

/** The same pieces; throws if none comes for too long. While nobody asks for one, none is missed. */
async function* heard(body: AsyncIterable<Uint8Array>, silentMs: number): AsyncGenerator<Uint8Array, void> {
  const pieces = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await inTime(pieces.next(), silentMs)
      if (done) return
      yield value
    }
  } finally {
    // Not waited for: what is silent may not answer to this either.
    void pieces.return?.().catch(() => undefined)
  }
}

function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing was heard for ${ms / 1000} s`)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
