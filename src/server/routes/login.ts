/** How a browser logs in: the login page has a one-time code behind "#" in its address, and trades it for a cookie here. */
import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { newCookie } from '../../base/cookie.js'
import { AgentzError } from '../../base/errors.js'
import { takeCode } from '../../base/login.js'
import type { Home } from '../../base/paths.js'
import { NoQuery, typed } from '../declared.js'
import type { Guard } from '../guard.js'

const LoginBody = z.strictObject({ code: z.string().check(z.regex(/^[\w-]{43}$/, 'is not a login code')) })

export function loginRoutes(app: FastifyInstance, home: Home, guard: Extract<Guard, { kind: 'tcp' }>): void {
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
      throw new AgentzError('UNAUTHORIZED', 'no such login code: it was used already, or is older than a minute', {
        hint: 'Get another one by `agentz open`.',
      })
    }
    reply.header('set-cookie', newCookie(token, guard.port()))
    return { status: 'ok' }
  })
}
