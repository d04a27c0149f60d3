/**
 * `agentz/client`: sessions from a program, through the server that runs. It needs nothing but Node 20 or a browser; the command line
 * needs no server, and so does not use it.
 */
import { AgentzError } from '../base/errors.js'
import { type FollowOptions, follow, pause } from './follow.js'
import { ask, isPassing, overFetch, type Token, type Transport } from './transport.js'
import type {
  Answered,
  Done,
  Item,
  Listed,
  NewSession,
  RegistryEvent,
  Sent,
  Session,
  SessionEvent,
  Spawned,
  Status,
  Waiting,
} from './types.js'

export type { ErrorCode } from '../base/errors.js'
export type * from './types.js'
export { AgentzError, type FollowOptions, type Token }

export interface AgentzOptions {
  /** The server's Unix socket; else the one of AGENTZ_HOME. */
  readonly socketPath?: string
  /** Over TCP instead: `http://127.0.0.1:4201`, with the token that `agentz token` prints, or what gives it when it is needed. */
  readonly baseUrl?: string
  readonly token?: Token
  readonly fetch?: typeof globalThis.fetch
}

export interface Signal {
  readonly signal?: AbortSignal | undefined
}

export interface EventsOptions extends FollowOptions {
  /** The offset of an item to go on behind; 0, which is the beginning, if it is not given; or the end of the log as it is now. */
  readonly from?: number | 'end'
}

/** How often a session that says nothing is looked at, since what died with its machine or manager says nothing either. */
const LOOK_MS = 5000
/** Nothing is done any more, or only by a person. */
const settled: ReadonlySet<Status> = new Set<Status>([
  ...(['completed', 'failed', 'cancelled', 'interrupted'] as const),
  ...(['waiting_approval', 'waiting_input'] as const),
])

export class Agentz {
  readonly #transport: Promise<Transport>

  /** Connects to nothing yet. @throws BAD_INPUT */
  constructor({ socketPath, baseUrl, token, fetch = globalThis.fetch }: AgentzOptions = {}) {
    if (baseUrl === undefined) {
      if (token !== undefined) throw new AgentzError('BAD_INPUT', 'token: needs baseUrl; the Unix socket asks for none')
      this.#transport = socketTransport(socketPath)
      // Told by the first request.
      this.#transport.catch(() => undefined)
      return
    }
    if (socketPath !== undefined) throw new AgentzError('BAD_INPUT', 'socketPath: cannot go with baseUrl')
    if (!/^https?:\/\/[^/?#]+\/?$/.test(baseUrl)) {
      throw new AgentzError('BAD_INPUT', `baseUrl: ${JSON.stringify(baseUrl)} is not http://HOST:PORT`)
    }
    this.#transport = Promise.resolve(overFetch(baseUrl.replace(/\/$/, ''), token, fetch.bind(globalThis)))
  }

  /** All sessions, in order of creation. */
  list({ status, limit, signal }: { status?: readonly Status[]; limit?: number } & Signal = {}): Promise<Listed> {
    const query = new URLSearchParams()
    if (status !== undefined) query.set('status', status.join(','))
    if (limit !== undefined) query.set('limit', String(limit))
    return this.#get(`/v1/sessions?${query}`, signal)
  }

  get(sessionId: string, { signal }: Signal = {}): Promise<Session> {
    return this.#get(pathOf(sessionId), signal)
  }

  /** Those that wait for an answer, each with its open questions. */
  async waiting({ signal }: Signal = {}): Promise<Waiting[]> {
    const { sessions } = await this.#get<{ sessions: Waiting[] }>('/v1/approvals', signal)
    return sessions
  }

  /** Starts a session; it goes on without this program, and without the server. */
  spawn(session: NewSession, { signal }: Signal = {}): Promise<Spawned> {
    return this.#post('/v1/sessions', session, signal)
  }

  /** @param messageId to be sent again with, where it is not known whether the first time was heard: a second one is a CONFLICT */
  send(
    sessionId: string,
    content: string,
    { interrupt, messageId, signal }: { interrupt?: boolean; messageId?: string } & Signal = {},
  ): Promise<Sent> {
    return this.#post(`${pathOf(sessionId)}/messages`, { content, interrupt, messageId }, signal)
  }

  /** Allows what the session asks for; `always`: and the like of it, until it ends. */
  approve(sessionId: string, requestId: string, { always, signal }: { always?: boolean } & Signal = {}) {
    return this.#decide(sessionId, requestId, { decision: always ? 'allow_always' : 'allow' }, signal)
  }

  deny(sessionId: string, requestId: string, { reason, signal }: { reason?: string } & Signal = {}) {
    return this.#decide(sessionId, requestId, { decision: 'deny', reason }, signal)
  }

  /** Answers any other question. */
  answer(sessionId: string, requestId: string, content: string, { signal }: Signal = {}): Promise<Answered> {
    return this.#post(`${pathOf(sessionId)}/inputs/${encodeURIComponent(requestId)}`, { content }, signal)
  }

  cancel(sessionId: string, { signal }: Signal = {}): Promise<Done> {
    return this.#post(`${pathOf(sessionId)}/cancel`, {}, signal)
  }

  freeze(sessionId: string, { signal }: Signal = {}): Promise<Done & { frozen: boolean }> {
    return this.#post(`${pathOf(sessionId)}/freeze`, {}, signal)
  }

  thaw(sessionId: string, { signal }: Signal = {}): Promise<Done & { frozen: boolean }> {
    return this.#post(`${pathOf(sessionId)}/thaw`, {}, signal)
  }

  /** What happens in a session, from an offset on, until you stop: each event once, also over restarts of the server. */
  async *events(sessionId: string, options: EventsOptions = {}): AsyncGenerator<Item<SessionEvent>, never> {
    const { from = 0 } = options
    const start = from === 'end' ? (await this.get(sessionId, options)).offset : from
    return yield* follow<SessionEvent>(await this.#transport, `${pathOf(sessionId)}/events`, start, options)
  }

  /** What happens to all sessions: what the registry is told. */
  async *registryEvents(options: EventsOptions = {}): AsyncGenerator<Item<RegistryEvent>, never> {
    const { from = 0, signal } = options
    const start = from === 'end' ? (await this.list({ limit: 1, signal })).offset : from
    return yield* follow<RegistryEvent>(await this.#transport, '/v1/events', start, options)
  }

  /** Resolves when the session has ended, or needs an answer. */
  async wait(sessionId: string, { signal }: Signal = {}): Promise<Session> {
    let session = await this.get(sessionId, { signal })
    const leave = new AbortController()
    const abort = () => leave.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const options = { signal: leave.signal, isKnown: true }
    const path = `${pathOf(sessionId)}/events`
    const events = follow<SessionEvent>(await this.#transport, path, session.offset, options)
    try {
      let news = newsIn(events)
      while (!settled.has(session.status)) {
        const tick = new AbortController()
        const isNews = await Promise.race([news, pause(LOOK_MS, tick.signal)]).finally(() => tick.abort())
        if (isNews) news = newsIn(events)
        session = await this.get(sessionId, { signal }).catch((error) => {
          // The events go on when the server is back.
          if (isPassing(error)) return session
          throw error
        })
      }
      return session
    } finally {
      signal?.removeEventListener('abort', abort)
      leave.abort()
    }
  }

  #decide(sessionId: string, requestId: string, body: object, signal: AbortSignal | undefined): Promise<Answered> {
    return this.#post(`${pathOf(sessionId)}/approvals/${encodeURIComponent(requestId)}`, body, signal)
  }

  async #get<T>(path: string, signal: AbortSignal | undefined): Promise<T> {
    return await ask<T>(await this.#transport, { path, signal })
  }

  async #post<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    return await ask<T>(await this.#transport, { method: 'POST', path, headers, body: JSON.stringify(body), signal })
  }
}

const pathOf = (sessionId: string): string => `/v1/sessions/${encodeURIComponent(sessionId)}`

/** Resolves when the next event has come that may settle a session. */
function newsIn(events: AsyncGenerator<Item<SessionEvent>, never>): Promise<true> {
  const news = (async () => {
    for (;;) {
      const { value } = await events.next()
      if (value.event === undefined || /^(session|daemon)_|_request$/.test(value.event.type)) return true as const
    }
  })()
  // It is broken off when nobody waits any more.
  news.catch(() => undefined)
  return news
}

/** Loaded only where it is used: browsers have no sockets. */
async function socketTransport(socketPath: string | undefined): Promise<Transport> {
  const { overSocket, usualSocket } = await import('./socket.js')
  return overSocket(socketPath ?? usualSocket())
}
