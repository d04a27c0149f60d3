/** Server-sent events out of the pieces in which they come (HTML, section 9.2). */

export interface Message {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** Whole messages alone: what a broken connection leaves of one is none. */
export async function* messagesIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<Message, void> {
  const decoder = new TextDecoder()
  let text = ''
  let message = newMessage()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = lineEnd(text, start); end >= 0; end = lineEnd(text, start)) {
      const line = text.slice(start, end)
      start = end + (text.startsWith('\r\n', end) ? 2 : 1)
      if (line !== '') {
        take(message, line)
        continue
      }
      if (message.data.length > 0) yield { ...message, data: message.data.join('\n') }
      message = newMessage()
    }
    text = text.slice(start)
  }
}

const newMessage = () => ({ id: undefined as string | undefined, event: 'message', data: [] as string[] })

/** Where the line ends; a return at the end of what came so far may be one half of an end. */
function lineEnd(text: string, start: number): number {
  const newline = text.indexOf('\n', start)
  const stop = newline < 0 ? text.length : newline
  const at = text.slice(start, stop).indexOf('\r')
  if (at < 0) return newline
  return newline < 0 && start + at === text.length - 1 ? -1 : start + at
}

function take(message: ReturnType<typeof newMessage>, line: string): void {
  const colon = line.indexOf(':')
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
  if (name === 'data') message.data.push(value)
  else if (name === 'event') message.event = value
  else if (name === 'id') message.id = value
}
