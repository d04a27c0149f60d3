/** What a new stream is to be: as it was asked for, and as its source is where it is a fork. */
import type { Fork, Meta } from './meta.js'
import { Refusal } from './refusal.js'
import { isPlace, mediaType, type Source, skipMessages } from './source.js'

export interface Asked {
  readonly contentType?: string | undefined
  readonly ttl?: number | undefined
  readonly expiresAt?: string | undefined
  readonly closed: boolean
  readonly fork?: Omit<Fork, 'id'> | undefined
}

const DEFAULT_TYPE = 'application/octet-stream'
const AGAIN = 'Send an offset that you got from the source.'

/** What a stream that is there has otherwise than what is asked for; undefined if it is the same. */
export function differences(meta: Meta, asked: Asked): string | undefined {
  const { fork } = asked
  if (meta.deleted) return 'it was deleted, and has forks'
  if (meta.fork?.from !== fork?.from) return 'it is not a fork of the same stream'
  if (meta.fork?.offset !== fork?.offset || meta.fork?.sub !== fork?.sub) return 'it was forked at another offset'
  const type = asked.contentType ?? (fork ? meta.contentType : DEFAULT_TYPE)
  if (mediaType(meta.contentType) !== mediaType(type)) return `its content type is ${meta.contentType}`
  const inherits = fork !== undefined && asked.ttl === undefined && asked.expiresAt === undefined
  if (!inherits && meta.ttl !== asked.ttl) return 'it has another time to live'
  if (!inherits && time(meta.expiresAt) !== time(asked.expiresAt)) return 'it expires at another time'
  if (meta.closed !== asked.closed) return meta.closed ? 'it is closed' : 'it is open'
  return undefined
}

const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text))

export function newMeta(
  id: string,
  name: string,
  asked: Asked,
  fork: Fork | undefined,
  source: Meta | undefined,
): Meta {
  const contentType = asked.contentType ?? source?.contentType ?? DEFAULT_TYPE
  const own = asked.ttl !== undefined || asked.expiresAt !== undefined
  const { ttl, expiresAt } = own || source === undefined ? asked : source
  const fresh = { closedBy: undefined, seq: undefined, producers: new Map(), forks: new Map(), deleted: false }
  return { id, name, contentType, ttl, expiresAt, fork, to: 0, closed: asked.closed, ...fresh }
}

/** @returns how many bytes of the source the fork begins with. @throws CONFLICT, BAD_INPUT */
export async function planFork(source: Source, { contentType, fork }: Asked): Promise<number> {
  if (contentType !== undefined && mediaType(contentType) !== mediaType(source.contentType)) {
    const why = `a fork of ${source.contentType} cannot be ${contentType}`
    throw new Refusal('CONFLICT', why, 'Leave out Content-Type to have the same.')
  }
  const at = fork?.offset ?? source.end
  if (!isPlace(source, at)) throw new Refusal('BAD_INPUT', `the source has no offset ${at}`, AGAIN)
  const sub = fork?.sub ?? 0
  const to = source.json ? await skipMessages(source, at, sub) : at + sub
  if (to !== undefined && to <= source.end) return to
  throw new Refusal('BAD_INPUT', `Stream-Fork-Sub-Offset: there are not ${sub} more behind the offset ${at}`, AGAIN)
}
