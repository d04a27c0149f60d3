/** What `agentz serve` runs. */
import { Idle } from '../sockets/idle.js'
import { type Listening, type ListenOptions, listen } from './listen.js'

export interface Serving extends Listening {
  /** Resolves when the server has ended, after SIGTERM, SIGINT or close(). */
  readonly closed: Promise<void>
}

/**
 * Listens until a signal comes, or nobody has asked anything for `idleExit` seconds. A second signal ends the process as if nobody
 * handled it. @throws as listen
 */
export async function serve({ idleExit, ...options }: ListenOptions & { idleExit?: number }): Promise<Serving> {
  const idle = idleExit === undefined ? undefined : new Idle(idleExit * 1000, () => void close())
  const listening = await listen({ ...options, ...(idle && { idle }) })
  let settle: (ending: Promise<void>) => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    settle = resolve
  })
  const close = (succeeded?: boolean) => {
    process.removeListener('SIGTERM', onSignal).removeListener('SIGINT', onSignal)
    const ending = listening.close(succeeded)
    settle(ending)
    return ending
  }
  const onSignal = () => void close()
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
  return { ...listening, close, closed }
}
