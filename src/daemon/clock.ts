/** The time that a session may run, where the system does not keep it. */

/** A timer of Node that is told to wait for longer than this, some 24 days, does not wait at all. */
const LONGEST_MS = 2 ** 31 - 1

/** Calls `then` once, after so many seconds. @returns how to forget it */
export function after(seconds: number, then: () => void, longestMs = LONGEST_MS): () => void {
  const end = performance.now() + seconds * 1000
  let timer: NodeJS.Timeout
  const wait = () => {
    const left = end - performance.now()
    timer = setTimeout(left > longestMs ? wait : then, Math.min(left, longestMs))
    timer.unref()
  }
  wait()
  return () => clearTimeout(timer)
}
