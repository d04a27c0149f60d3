/** Frames on their way into a response, at the pace of its client. */
import type { ServerResponse } from 'node:http'

/** Nothing is new: proxies and clients shall not think that nobody is there. */
const heartbeat = Buffer.from(': nothing new\n\n')

/** Whole frames; none of them is a heartbeat. */
export type Frames = AsyncIterable<Buffer>

/**
 * Asks for the next frame when the one before has left: who takes nothing is kept no more than one, and the file has the rest.
 * @param told what came instead of a frame; the response ends with it
 */
export async function pump(raw: ServerResponse, frames: Frames, told: (thrown: unknown) => void): Promise<void> {
  try {
    for await (const frame of frames) {
      if (raw.destroyed) break
      if (!raw.write(frame.length === 0 ? heartbeat : frame)) await drained(raw)
    }
  } catch (error) {
    told(error)
  }
  raw.end()
}

function drained(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      raw.removeListener('drain', done).removeListener('close', done)
      resolve()
    }
    raw.once('drain', done).once('close', done)
    // It may have gone in between, and says so no more.
    if (raw.destroyed) done()
  })
}
