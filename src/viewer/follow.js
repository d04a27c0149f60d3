/**
 * Following a log. However the connection ends, it goes on from the last record that came, so that nothing comes twice and nothing is
 * left out. A page that nobody sees lets go of its connection, since browsers have six of them for all pages of a server; it looks
 * now and then.
 */

const AGAIN_MS = 1000
const HIDDEN_MS = 10_000
/** How long a hidden page listens when it looks. */
const LOOK_MS = 1000

/**
 * @typedef {object} Follower
 * @property {(offset: number, line: string) => void} record
 * @property {(damage: {at: number, length: number}) => void} [damaged]
 * @property {() => void} [reset] the log begins again at 0
 * @property {(isOpen: boolean) => void} state
 */

/** @param {string} path @param {number} from @param {Follower} follower @returns {() => void} ends it */
export function follow(path, from, follower) {
  let last = from
  /** Damaged lines have no address, and come again with whatever follows them. */
  let harmed = -1
  /** @type {EventSource | undefined} */
  let source
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let isLeft = false

  const close = () => {
    clearTimeout(timer)
    source?.close()
    source = undefined
  }
  /** @param {number} ms */
  const later = (ms) => {
    close()
    if (!isLeft) timer = setTimeout(open, ms)
  }
  const begin = () => {
    last = 0
    harmed = -1
    follower.reset?.()
  }
  /** Whether the server answers that there is no such place: the file was put back from a copy while nobody looked. */
  async function isAnotherLog() {
    const stop = new AbortController()
    const late = setTimeout(() => stop.abort(), AGAIN_MS)
    try {
      const { status } = await fetch(`${path}?offset=${last}`, { signal: stop.signal })
      return status === 400
    } catch {
      // It does not answer at all; that is no news.
      return false
    } finally {
      clearTimeout(late)
      stop.abort()
    }
  }
  function open() {
    close()
    const own = new EventSource(`${path}?offset=${last}`)
    source = own
    own.onopen = () => {
      follower.state(true)
      if (document.hidden) timer = setTimeout(() => later(HIDDEN_MS), LOOK_MS)
    }
    own.onmessage = ({ data, lastEventId }) => {
      const offset = Number(lastEventId)
      if (offset <= last) return
      last = offset
      follower.record(offset, data)
    }
    own.addEventListener('damaged', ({ data }) => {
      const damage = JSON.parse(data)
      if (damage.at <= harmed) return
      harmed = damage.at
      follower.damaged?.(damage)
    })
    own.addEventListener('reset', begin)
    // Browsers try again by themselves after some errors and not after others; here it is always the same.
    own.onerror = async () => {
      own.close()
      follower.state(false)
      const isOther = await isAnotherLog()
      if (source !== own) return
      if (isOther) begin()
      later(document.hidden ? HIDDEN_MS : AGAIN_MS)
    }
  }
  const seen = () => (document.hidden ? later(HIDDEN_MS) : open())
  document.addEventListener('visibilitychange', seen)
  open()
  return () => {
    isLeft = true
    document.removeEventListener('visibilitychange', seen)
    close()
  }
}
