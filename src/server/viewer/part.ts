/** The pages: files that are the same for everybody and hold nothing worth a secret. What is in them comes by the API, for which one logs in. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AgentzError, errno } from '../../base/errors.js'
import { viewer } from '../../base/programs.js'
import type { Part } from '../lazy.js'

/**
 * Nothing from elsewhere, nothing inline, no text that becomes markup, in nobody's frame, and no word to anybody of where the reader
 * was.
 */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

/** By the pattern of the route; /viewer/:file names its own. */
const documents: Record<string, string> = { '/login': 'login.html', '/': 'index.html', '/s/:id': 'index.html' }

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

export function open(): Part {
  return {
    handle: (request, reply) => {
      const { url = '' } = request.routeOptions
      const file = documents[url] ?? (request.params as { file: string }).file
      const [, ending = ''] = /^[a-z]+(?:-[a-z]+)*\.(html|js|css|svg)$/.exec(file) ?? []
      const bytes = ending === '' ? undefined : contentOf(file)
      if (bytes === undefined) {
        throw new AgentzError('NOT_FOUND', `there is no file ${JSON.stringify(file.slice(0, 80))} of the viewer`, {
          hint: 'The viewer begins at /.',
        })
      }
      return reply.headers(headers).type(types[ending]!).send(bytes)
    },
  }
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(join(viewer, file))
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}
