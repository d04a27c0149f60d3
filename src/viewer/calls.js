/** The calls of tools that are on the page: what became of one stands on its own line. */
import { addResult } from './entry.js'

export class Calls {
  /** @type {Map<string, HTMLElement>} */
  #entries = new Map()
  /** @type {Map<string, string>} what is asked about which call */
  #asked = new Map()
  /** @type {Set<string>} */
  #denied = new Set()

  /** @param {any} event @param {HTMLElement} entry */
  add({ type, toolId }, entry) {
    if (type === 'tool_use' && typeof toolId === 'string') this.#entries.set(toolId, entry)
  }

  /** @param {any} event @returns {HTMLElement | undefined} the one whose result it is, which has it now */
  take(event) {
    const { type, toolId, requestId, decision } = event
    if (type === 'approval_request') this.#asked.set(requestId, toolId)
    if (type === 'approval_response' && decision === 'deny') this.#denied.add(this.#asked.get(requestId) ?? '')
    const entry = type === 'tool_result' ? this.#entries.get(toolId) : undefined
    if (entry !== undefined) addResult(entry, event, this.#denied.has(toolId))
    return entry
  }

  /** Those that were let go. */
  forget() {
    for (const [toolId, entry] of this.#entries) if (!entry.isConnected) this.#entries.delete(toolId)
  }

  clear() {
    this.#entries.clear()
    this.#asked.clear()
    this.#denied.clear()
  }
}
