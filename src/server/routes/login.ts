/** How a browser logs in: a page whose address carries a one-time code behind "#", which it trades for a cookie. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../../base/errors.js'
import { takeCode } from '../../base/login.js'
import type { Home } from '../../base/paths.js'
import { viewer } from '../../base/programs.js'
import { newCookie } from '../cookie.js'
import { NoQuery, typed } from '../declared.js'
import type { Guard } from '../guard.js'

const LoginBody = z.strictObject({ code: z.string().check(z.regex(/^[\w-]{43}$/, 'is not a login code')) })

/** Nothing from elsewhere, nothing inline, in nobody's frame, and no word to anybody of where the reader was. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

const files = {
  '/login': { file: 'login.html', type: 'text/html; charset=utf-8' },
  '/login.js': { file: 'login.js', type: 'text/javascript; charset=utf-8' },
  '/login.css': { file: 'login.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
}

export function loginRoutes(app: FastifyInstance, home: Home, guard: Extract<Guard, { kind: 'tcp' }>): void {
  for (const [url, { file, type }] of Object.entries(files)) {
    const page = url === '/login' ? { page: true as const } : {}
    app.get(url, { config: { open: true, ...page } }, async (_, reply) => {
      reply.headers(headers).type(type)
      return readFileSync(join(viewer, file))
    })
  }

  const schema = { querystring: NoQuery, body: LoginBody }
  typed(app).post('/v1/login', { config: { open: true }, schema }, async (request, reply) => {
    const { code } = request.body
    // Cookies ignore ports: under a name that others have too, any server of theirs would be sent this one.
    const token = guard.token()
    if (request.headers.host !== `${guard.page(token)}:${guard.port()}`) {
      throw new AgentzError('WRONG_HOST', 'a browser logs in under another name of this server', {
        hint: 'Take the address that `agentz open` prints, as it is.',
      })
    }
    if (!takeCode(home, code)) {
      throw new AgentzError('UNAUTHORIZED', 'the login code was used already, or is older than a minute', {
        hint: 'Get another one by `agentz open`.',
      })
    }
    reply.header('set-cookie', newCookie(token, guard.port()))
    return { status: 'ok' }
  })
}
