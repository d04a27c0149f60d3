/** What a turn says to the client, and asks it, in the words of the protocol. */
import {
  type AgentContext,
  methods,
  type RequestPermissionRequest,
  type SessionUpdate,
  type ToolCall,
  type ToolKind,
} from '@agentclientprotocol/sdk'
import { object, string } from '../json.js'
import type { OpenCall } from './history.js'
import type { CallResult } from './records.js'
import type { Action } from './tools/tool.js'

const { update, requestPermission } = methods.client.session
/** The protocol has no place for the reason of a denial. */
const REASON = 'agentz/reason'

export interface Described {
  readonly call: OpenCall
  readonly kind: ToolKind
  readonly title: string
  readonly action?: Action
}

export type Decision =
  | { readonly outcome: 'allow' | 'always' | 'cancelled' }
  | { readonly outcome: 'deny'; readonly reason: string | undefined }

export class Client {
  readonly #context: AgentContext
  readonly #sessionId: string

  constructor(context: AgentContext, sessionId: string) {
    this.#context = context
    this.#sessionId = sessionId
  }

  said(text: string): Promise<void> {
    return this.#tell({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })
  }

  thought(text: string): Promise<void> {
    return this.#tell({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text } })
  }

  heard(text: string): Promise<void> {
    return this.#tell({ sessionUpdate: 'user_message_chunk', content: { type: 'text', text } })
  }

  called(described: Described): Promise<void> {
    return this.#tell({ sessionUpdate: 'tool_call', ...fieldsOf(described) })
  }

  begun({ id: toolCallId }: OpenCall): Promise<void> {
    return this.#tell({ sessionUpdate: 'tool_call_update', toolCallId, status: 'in_progress' })
  }

  ended({ id: toolCallId }: { readonly id: string }, { text, outcome }: CallResult): Promise<void> {
    const status = outcome === 'done' ? 'completed' : 'failed'
    const content = [{ type: 'content' as const, content: { type: 'text' as const, text } }]
    return this.#tell({ sessionUpdate: 'tool_call_update', toolCallId, status, content })
  }

  /** Asks whether a call may be done. */
  async mayRun(described: Described, always: string): Promise<Decision> {
    const options = [
      { optionId: 'allow_once', kind: 'allow_once' as const, name: 'Allow' },
      { optionId: 'allow_always', kind: 'allow_always' as const, name: always },
      { optionId: 'reject_once', kind: 'reject_once' as const, name: 'Deny' },
    ]
    const params: RequestPermissionRequest = { sessionId: this.#sessionId, toolCall: fieldsOf(described), options }
    const { outcome, _meta: meta } = await this.#context.request(requestPermission, params)
    if (outcome.outcome !== 'selected') return { outcome: 'cancelled' }
    if (outcome.optionId === 'allow_once') return { outcome: 'allow' }
    if (outcome.optionId === 'allow_always') return { outcome: 'always' }
    return { outcome: 'deny', reason: string(object(meta)[REASON]) }
  }

  #tell(what: SessionUpdate): Promise<void> {
    return this.#context.notify(update, { sessionId: this.#sessionId, update: what })
  }
}

function fieldsOf({ call: { id: toolCallId, name, input: rawInput }, kind, title, action }: Described): ToolCall {
  const isEdit = action?.kind === 'write'
  const locations = isEdit ? { locations: [{ path: action.path }] } : {}
  return { toolCallId, name, title, kind, rawInput, status: 'pending' as const, ...locations }
}
