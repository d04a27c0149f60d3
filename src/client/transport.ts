/** How requests reach the server, whichever way that is, and what its answers mean: a body, or the one kind of error. */
import { AgentzError, type ErrorCode, errno, errorCodes, reason } from '../base/errors.js'

export interface Request {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  /** Whoever stops reading it lets the connection go. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface Transport {
  /** For people. */
  readonly where: string
  /** @throws whatever kept it from an answer */
  send(request: Request): Promise<Answer>
}

export type Token = string | (() => string | Promise<string>)

/** Over TCP, with the token if there is one; of a browser's page the cookie does the same. */
export function overFetch(baseUrl: string, token: Token | undefined, fetch: typeof globalThis.fetch): Transport {
  return {
    where: baseUrl,
    send: async ({ method = 'GET', path, headers, body, signal }) => {
      const bearer = typeof token === 'function' ? await token() : token
      const authorization: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
      const { status, body: stream } = await fetch(`${baseUrl}${path}`, {
        method,
        headers: { ...headers, ...authorization },
        ...(body !== undefined && { body }),
        ...(signal !== undefined && { signal }),
        // A token is for the one server that it was given for.
        redirect: 'error',
      })
      return { status, body: chunksOf(stream) }
    },
  }
}

/** Not every browser can iterate over a body. */
async function* chunksOf(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void> {
  const reader = stream?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // What is broken already has nothing to let go.
    await reader.cancel().catch(() => undefined)
  }
}

/** An answer to read. @throws AgentzError for one that is an error, or none; what `signal` gives as its reason */
export async function open(transport: Transport, request: Request): Promise<Answer> {
  let answer: Answer
  try {
    answer = await transport.send(request)
  } catch (error) {
    throw broken(transport, request, error)
  }
  if (answer.status < 400) return answer
  throw errorIn(await textOf(transport, request, answer)) ?? notOurs(transport, answer)
}

/** An answer, read. @throws as `open` */
export async function ask<T>(transport: Transport, request: Request): Promise<T> {
  const answer = await open(transport, request)
  const text = await textOf(transport, request, answer)
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw notOurs(transport, answer, error)
  }
}

async function textOf(transport: Transport, request: Request, { body }: Answer): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  } catch (error) {
    throw broken(transport, request, error)
  }
  return text + decoder.decode()
}

/** The error of the server's table that a body holds. */
export function errorIn(text: string): AgentzError | undefined {
  let code: unknown
  let message: unknown
  let hint: unknown
  try {
    ;({ code, message, hint } = JSON.parse(text).error)
  } catch {
    // Whatever it is, it does not come from our server.
    return undefined
  }
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const rest = typeof hint === 'string' ? { hint } : {}
  // A later version may know more of them.
  if (!Object.hasOwn(errorCodes, code)) return new AgentzError('INTERNAL', `${code}: ${message}`, rest)
  return new AgentzError(code as ErrorCode, message, rest)
}

/** Whether the same may be asked again: nobody answered, or only not now. */
export const isPassing = (error: unknown): boolean =>
  error instanceof AgentzError && error.http >= 503 && error.http < 505

export function broken({ where }: Transport, { method = 'GET', path, signal }: Request, error: unknown): unknown {
  if (signal?.aborted) return signal.reason
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const what = method === 'GET' ? '' : '; whether it was done is not known: look before you send it again'
  return new AgentzError(
    'NO_SERVER',
    `no answer from ${where} to ${method} ${path}: ${reason(cause) || errno(cause)}${what}`,
    {
      cause: error,
    },
  )
}

function notOurs({ where }: Transport, { status }: Answer, cause?: unknown): AgentzError {
  return new AgentzError('NO_SERVER', `what answers at ${where} is ending, or no agentz (${status})`, { cause })
}
