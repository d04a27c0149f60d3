/**
 * fetch for answers that stream. A body that breaks off is an error of its stream, and an error of a stream throws away what has come and
 * has not been read yet: words of the model would be lost. So it becomes an event of the stream, the last one, as servers tell of errors.
 */
type Fetch = typeof globalThis.fetch

export const fetchStream: Fetch = async (input, init) => {
  const response = await fetch(input, init)
  const { body, status, statusText, headers, ok } = response
  if (!ok || body === null) return response
  return new Response(untilBreak(body, init?.signal), { status, statusText, headers })
}

function untilBreak(body: ReadableStream<Uint8Array>, signal?: AbortSignal | null): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    // Read at once, not when it is asked for: what lies in the body when it breaks is lost.
    async start(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) break
          controller.enqueue(value)
        }
        controller.close()
      } catch (error) {
        if (signal?.aborted) return controller.error(error)
        const { message, cause } = error as Error
        const said = cause instanceof Error ? `${message} (${cause.message})` : message
        controller.enqueue(Buffer.from(`\n\ndata: ${JSON.stringify({ error: { message: said } })}\n\n`))
        controller.close()
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
