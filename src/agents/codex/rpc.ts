/** The side of codex's JSON-RPC that asks and answers. Its messages lack the version, and so do ours. */
import { type Json, object, string } from '../json.js'

/** A refusal by the other side. */
export class RpcError extends Error {
  readonly code: unknown

  constructor(method: string, error: Json) {
    super(`${method}: ${string(error.message) ?? JSON.stringify(error)}`)
    this.name = 'RpcError'
    this.code = error.code
  }
}

interface Waiting {
  readonly method: string
  resolve(result: Json): void
  reject(error: Error): void
}

export class Rpc {
  readonly #write: (message: object) => Promise<void>
  readonly #waiting = new Map<unknown, Waiting>()
  #last = 0

  constructor(write: (message: object) => Promise<void>) {
    this.#write = write
  }

  /** @throws RpcError if it is refused; what `write` throws; what `close` was told */
  request(method: string, params: object): Promise<Json> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { method, resolve, reject })
      this.#write({ id, method, params }).catch((error: Error) => {
        this.#waiting.delete(id)
        reject(error)
      })
    })
  }

  notify(method: string): Promise<void> {
    return this.#write({ method })
  }

  answer(id: unknown, result: object): Promise<void> {
    return this.#write({ id, result })
  }

  /** Without an answer the other side would wait for ever. */
  refuse(id: unknown, message: string): Promise<void> {
    return this.#write({ id, error: { code: -32601, message } })
  }

  /** A message without a method. @returns whether it answers a request */
  take({ id, result, error }: Json): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return false
    this.#waiting.delete(id)
    if (error === undefined || error === null) waiting.resolve(object(result))
    else waiting.reject(new RpcError(waiting.method, object(error)))
    return true
  }

  /** No more answers will come. */
  close(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
