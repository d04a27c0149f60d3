/** The model's own stream, as claude passes it on: pieces of text, and what each call of the model has used. */
import type { AgentEvent } from '../../session/events.js'
import { count, type Json, object } from '../json.js'
import { tokens } from './result.js'

/**
 * Nearly all lines of an answer look so; to parse only the words in them takes a quarter of the time. Words with an escape in them
 * go the long way.
 */
const usualPiece =
  /^\{"type":"stream_event","event":\{"type":"content_block_delta","index":\d+,"delta":\{"type":"(text|thinking)_delta","(?:text|thinking)":"([^"\\]*)"\}\},/

/** The piece in a line, if it is a usual one. */
export function pieceOf(line: string): AgentEvent[] | undefined {
  const [, type, piece = ''] = usualPiece.exec(line) ?? []
  return type === undefined ? undefined : [{ type: type as 'text' | 'thinking', partial: true, delta: [piece] }]
}

export class ModelStream {
  /** Tokens in, of the call that runs. */
  #input = { input: 0, cached: 0 }

  /** The input of tools comes whole with its block, and is left out here. */
  events(event: Json): AgentEvent[] {
    switch (event.type) {
      case 'message_start':
        this.#input = tokens(object(object(event.message).usage))
        return []
      case 'content_block_delta':
        return delta(object(event.delta))
      case 'message_delta': {
        const output = count(object(event.usage).output_tokens)
        return output === 0 ? [] : [{ type: 'usage', scope: 'step', ...this.#input, output }]
      }
      default:
        return []
    }
  }
}

function delta({ type, text, thinking }: Json): AgentEvent[] {
  if (type === 'text_delta' && typeof text === 'string') return [{ type: 'text', partial: true, delta: [text] }]
  if (type !== 'thinking_delta' || typeof thinking !== 'string') return []
  return [{ type: 'thinking', partial: true, delta: [thinking] }]
}
