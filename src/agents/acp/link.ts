/**
 * JSON-RPC with an agent: the lines of its output on their way to the protocol's SDK. Three sorts of lines do not get there:
 * - what is no message, since the SDK answers that with errors that agents do not expect;
 * - `session/update`: the SDK would hold each piece of an answer against fourteen schemas, twice, would drop a kind that it does not
 *   know, and may deliver an update after the answer that it came before;
 * - further notifications, and answers to nothing.
 */
import { client, methods } from '@agentclientprotocol/sdk'
import { cut } from '../cut.js'
import { isObject, type Json, object, parseObject, text } from '../json.js'

export interface LinkHooks {
  write(message: object): Promise<void>
  /** The `update` of a session/update. */
  onUpdate(update: Json): void
  /** A question; `withdrawn` is aborted when the agent does not want the answer any more. */
  onPermission(params: Json, withdrawn: AbortSignal): Promise<object>
  onElicitation(params: Json, withdrawn: AbortSignal): Promise<object>
  /** What nobody here understands. */
  onUnknown(value: unknown, missingBytes: number): void
  /** Requests that are refused, and not worth a word. */
  readonly vainRequests: readonly string[]
}

type Message = Json & { readonly jsonrpc: '2.0' }
type Connection = ReturnType<ReturnType<typeof client>['connect']>

const { requestPermission, update: sessionUpdate } = methods.client.session
const elicitation = methods.client.elicitation.create

export class Link {
  readonly #hooks: LinkHooks
  readonly #connection: Connection
  /** Requests of ours that have no answer yet. */
  readonly #open = new Set<unknown>()
  #incoming: ReadableStreamDefaultController<never> | undefined

  constructor(hooks: LinkHooks) {
    this.#hooks = hooks
    const readable = new ReadableStream<never>({
      start: (controller) => {
        this.#incoming = controller
      },
    })
    const writable = new WritableStream<object>({
      write: (message) => {
        if ('method' in message && 'id' in message) this.#open.add(message.id)
        return hooks.write(message)
      },
    })
    this.#connection = client({ name: 'agentz' })
      .onRequest(requestPermission, object, ({ params, signal }) =>
        hooks.onPermission(params, this.#withdrawal(signal)),
      )
      .onRequest(elicitation, object, ({ params, signal }) => hooks.onElicitation(params, this.#withdrawal(signal)))
      .connect({ readable, writable })
  }

  /** Nothing goes either way any more. */
  get isClosed(): boolean {
    return this.#connection.signal.aborted
  }

  /** A line of the agent's output. */
  line(line: string, missing: number): void {
    if (line.trim() === '' || this.isClosed) return
    const message = missing > 0 ? undefined : parseObject(line)
    if (message === undefined) {
      this.#hooks.onUnknown(cut(line, undefined, missing).content, missing)
      return
    }
    if (message.method === sessionUpdate && isObject(object(message.params).update)) {
      this.#hooks.onUpdate(object(object(message.params).update))
      return
    }
    const known = isForUs(message) ? this.#isKnown(message) : false
    if (!known) this.#hooks.onUnknown(message, 0)
    if (known || isRequest(message)) this.#incoming?.enqueue(message as never)
  }

  /** @throws RequestError, or what closed the connection */
  async request(method: string, params: object): Promise<Json> {
    return object(await this.#connection.agent.request(method, params))
  }

  notify(method: string, params: object): Promise<void> {
    return this.#connection.agent.notify(method, params)
  }

  /** No further line will come: what waits for an answer is told so. */
  async close(): Promise<void> {
    if (!this.isClosed) this.#incoming?.close()
    await this.#connection.closed
    // Everything that the last lines have set going comes before whatever the caller makes of the end.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** The SDK takes back what was asked when the connection closes, too; but a question may outlive it. */
  #withdrawal(signal: AbortSignal): AbortSignal {
    const withdrawn = new AbortController()
    signal.addEventListener('abort', () => this.isClosed || withdrawn.abort())
    return withdrawn.signal
  }

  #isKnown(message: Message): boolean {
    if (isRequest(message)) {
      const { method } = message
      return method === requestPermission || method === elicitation || this.#hooks.vainRequests.includes(text(method))
    }
    if ('method' in message) return message.method === methods.protocol.cancelRequest && !('id' in message)
    return this.#open.delete(message.id)
  }
}

const isForUs = (message: Json): message is Message => message.jsonrpc === '2.0'

/** The SDK refuses those that it does not know. */
const isRequest = ({ jsonrpc, method, id }: Json): boolean =>
  jsonrpc === '2.0' && typeof method === 'string' && (typeof id === 'string' || Number.isFinite(id))
