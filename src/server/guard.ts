/**
 * Who may call. Any web page that a person visits can send requests to loopback, and any user of the machine can connect to
 * its ports; so TCP asks for an exact Host (against DNS rebinding), for our Origin or none, for no foreign Sec-Fetch-Site, and
 * for the token or the cookie that was made from it, in this order, before a route or a body is looked at. The Unix socket is
 * guarded by the modes of its directory and itself, and no browser reaches it.
 */
import type { FastifyRequest } from 'fastify'
import { isLoggedIn } from '../base/cookie.js'
import { AgentzError } from '../base/errors.js'
import { bears } from '../base/token.js'
import { type Sharing, sharedBy, unshared } from '../streams/sharing.js'

export type Guard =
  | { readonly kind: 'unix' }
  /**
   * `port` is asked at each request: with port 0 it is known only once the server listens. So is `token`: another one counts from
   * the next request on. `page` is the name by which browsers come, and at which alone cookies are given and count.
   */
  | {
      readonly kind: 'tcp'
      readonly token: () => string
      readonly port: () => number
      readonly page: (token: string) => string
    }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without a token. */
    open?: true
    /** A page without anything in it that is worth reading: a link or a file elsewhere may lead to it. */
    page?: true
    /** Durable streams, which may be shared with others. */
    streams?: true
  }
}

/** By what a request was let in; and by which token, which a cookie is made from too. */
export interface Admission {
  readonly by: 'socket' | 'open' | 'token' | 'cookie'
  readonly token?: string
}

const names = ['127.0.0.1', 'localhost', '[::1]']
const friendly = new Set(['same-origin', 'none'])

/**
 * The check as one function, for one onRequest hook.
 * @throws WRONG_HOST, FORBIDDEN_ORIGIN, UNAUTHORIZED; HOME_UNUSABLE if the token cannot be read
 */
export function guardOf(guard: Guard, sharing: Sharing = unshared): (request: FastifyRequest) => Admission {
  if (guard.kind === 'unix') return () => ({ by: 'socket' })
  return (request) => {
    const port = guard.port()
    // Read for those alone whom it is about: what everybody may do costs no look at it.
    let read: string | undefined
    const tokenNow = () => {
      read ??= guard.token()
      return read
    }
    const isOurs = (host: string | undefined) =>
      names.some((name) => host === `${name}:${port}`) || host === `${guard.page(tokenNow())}:${port}`
    checkHost(request, isOurs)
    const { config } = request.routeOptions // Absent for a path that is none.
    const shared = config?.streams ? sharedBy(request.url, request.headers.origin, sharing) : undefined
    if (shared === 'everybody') return { by: 'open' }
    if (!shared && !(config?.page && isNavigation(request))) checkOrigin(request, isOurs)
    // A browser asks first, and cannot say who it is then; it is told no more than that it may.
    if (config?.open || (shared && request.method === 'OPTIONS')) return { by: 'open' }
    const token = tokenNow()
    if (bears(request.headers.authorization, token)) return { by: 'token', token }
    // Under a name that others have too, any server of theirs could have been sent it.
    if (request.headers.host === `${guard.page(token)}:${port}` && isLoggedIn(request.headers.cookie, token, port)) {
      checkOwnPage(request)
      return { by: 'cookie', token }
    }
    throw new AgentzError('UNAUTHORIZED', 'the request carries no token, or not the one of this server')
  }
}

type IsOurs = (host: string | undefined) => boolean

function checkHost(request: FastifyRequest, isOurs: IsOurs): void {
  const { rawHeaders, url } = request.raw
  // Node keeps the first of two Host headers; a proxy before it might have kept the other.
  let given = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHost(rawHeaders[at])) given++
  if (given > 1) throw new AgentzError('WRONG_HOST', 'the request names more than one host')
  // An absolute request line overrides Host (RFC 9112, 3.2.2) and is for proxies.
  if (url?.[0] !== '/') throw new AgentzError('WRONG_HOST', 'the request line must hold a path alone')
  const { host = '' } = request.headers
  if (isOurs(host)) return
  throw new AgentzError('WRONG_HOST', `this server is not ${JSON.stringify(host.slice(0, 80))}`)
}

const isHost = (name: string | undefined): boolean => name?.length === 4 && name.toLowerCase() === 'host'

function checkOrigin(request: FastifyRequest, isOurs: IsOurs): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && !(origin.startsWith('http://') && isOurs(origin.slice('http://'.length)))) {
    throw new AgentzError(
      'FORBIDDEN_ORIGIN',
      `pages of ${JSON.stringify(origin.slice(0, 80))} may not call this server`,
    )
  }
  if (site !== undefined && !(typeof site === 'string' && friendly.has(site))) {
    throw new AgentzError('FORBIDDEN_ORIGIN', 'another site may not call this server')
  }
}

/**
 * A browser adds the cookie by itself, so what changes something must also say that a page of ours asks for it. A GET need not:
 * browsers of before 2023 say nothing with the requests of our own page, those of another site come without the cookie
 * (SameSite), and whoever sends one sees no answer of ours and changes nothing.
 */
function checkOwnPage(request: FastifyRequest): void {
  if (request.method === 'GET') return
  const { origin, host, 'sec-fetch-site': site } = request.headers
  if (origin === `http://${host}` || (origin === undefined && site === 'same-origin')) return
  throw new AgentzError('FORBIDDEN_ORIGIN', 'with a cookie, a change must come from a page of this server')
}

/** The address bar, a link, or a file that leads here: the page replaces whatever asked for it, and cannot be read by it. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}
