/**
 * What a browser has instead of the token: a cookie that only this server can have made, since its signature is keyed by the token.
 * Nothing is kept of it, so it outlives a restart, and `agentz token --rotate` ends all of them.
 *
 * Cookies ignore ports: a page of any other server on 127.0.0.1, another user's too, would be sent ours. So people are led to a
 * name of this server's own, which nobody else can guess, and browsers keep the cookies of different names apart.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** How long a browser stays logged in. */
const COOKIE_MS = 7 * 24 * 3600 * 1000

const sign = (token: string, what: string): Buffer => createHmac('sha256', token).update(`agentz ${what}`).digest()

/** Of two servers on one machine neither may overwrite the other's. */
const nameOf = (port: number): string => `agentz-${port}`

/** Browsers resolve every name under .localhost to loopback by themselves. */
export const ownName = (token: string): string => `agentz-${sign(token, 'name').toString('hex').slice(0, 16)}.localhost`

/** The value of Set-Cookie. */
export function newCookie(token: string, port: number, now = Date.now()): string {
  const end = now + COOKIE_MS
  const value = `${end}.${sign(token, `cookie ${end}`).toString('base64url')}`
  return `${nameOf(port)}=${value}; Max-Age=${COOKIE_MS / 1000}; Path=/; HttpOnly; SameSite=Strict`
}

/** Whether a Cookie header holds one that this token has signed and that is not over. */
export function isLoggedIn(header: string | undefined, token: string, port: number, now = Date.now()): boolean {
  const prefix = `${nameOf(port)}=`
  return (header ?? '')
    .split(/; */)
    .filter((pair) => pair.startsWith(prefix))
    .some((pair) => {
      const [, end = '', signature = ''] = /^(\d{1,15})\.([\w-]{43})$/.exec(pair.slice(prefix.length)) ?? []
      if (!(Number(end) > now)) return false
      return timingSafeEqual(Buffer.from(signature, 'base64url'), sign(token, `cookie ${end}`))
    })
}
