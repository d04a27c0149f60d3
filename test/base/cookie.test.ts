import t from 'tap'
import { isLoggedIn, newCookie, ownName } from '../../src/base/cookie.js'

const [token, other] = ['a'.repeat(43), 'b'.repeat(43)]
const now = Date.parse('2026-01-01T00:00:00Z')
const DAY = 24 * 3600 * 1000
const pair = (cookie: string) => cookie.split(';', 1)[0] ?? ''

t.test('what a browser is told of it', async (t) => {
  t.match(
    newCookie(token, 4201, now),
    /^agentz-4201=\d+\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/,
    'no script reads it, no other site sends it, and no Domain: it is of one name alone',
  )
})

t.test('who is logged in', async (t) => {
  const cookie = pair(newCookie(token, 4201, now))
  const [name = '', value = ''] = cookie.split('=')
  const [end = '', signature = ''] = value.split('.')
  const is = (header: string | undefined, at = now) => isLoggedIn(header, token, 4201, at)
  t.ok(is(cookie))
  t.ok(is(`x=1; ${cookie}; y=2`))
  t.ok(is(`${name}=old; ${cookie}`), 'one of another path beside it')
  t.ok(is(cookie, now + 7 * DAY - 1))
  t.notOk(is(cookie, now + 7 * DAY), 'after a week')
  t.notOk(isLoggedIn(cookie, other, 4201, now), 'after the token was rotated')
  t.notOk(isLoggedIn(cookie, token, 4202, now), 'with a server on another port')
  const forged = [
    ...[undefined, '', name, `${name}=`, `${name}=${end}`, `${name}=.${signature}`, `${name}=${end}.`],
    ...[`${name}=${Number(end) + 1}.${signature}`, `${name}=${end}.${'A'.repeat(43)}`, `${name}=${end}.${signature}A`],
    ...[`${name}=0${end}.${signature}`, `x${cookie}`, `${name}=${token}`, `${name}=${end}.${'é'.repeat(43)}`],
    `${name}=9999999999999999999.${signature}`,
  ]
  for (const header of forged) t.notOk(is(header), String(header))
})

t.test('the name of a server', async (t) => {
  t.match(ownName(token), /^agentz-[0-9a-f]{16}\.localhost$/)
  t.not(ownName(token), ownName(other), 'it is as secret as the token')
})
