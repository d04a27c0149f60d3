/** Requests as browsers make them: to names below .localhost, which they look up by themselves, with a Host header of the name. */
import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export function call(url: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  const { host, port, pathname, search } = new URL(url)
  const options = { host: '127.0.0.1', port, path: pathname + search, method, headers: { host, ...headers } }
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data: string) => {
        text += data
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject).end(body)
  })
}

/** Sends a login code from the page of `site` itself. */
export const login = (site: string, code: string): Promise<Answer> =>
  call(`${site}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: site, 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ code }),
  })

/** What a browser sends back of an answer that sets a cookie. */
export const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
