/** What `agentz serve` runs. */
import { type Listening, type ListenOptions, listen } from './listen.js'

export interface Serving extends Listening {
  /** Resolves when the server has ended, after SIGTERM, SIGINT or close(). */
  readonly closed: Promise<void>
}

/** Listens until a signal comes. A second signal ends the process as if nobody handled it. @throws as listen */
export async function serve(options: ListenOptions): Promise<Serving> {
  const listening = await listen(options)
  let settle: (ending: Promise<void>) => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    settle = resolve
  })
  const close = () => {
    process.removeListener('SIGTERM', onSignal).removeListener('SIGINT', onSignal)
    const ending = listening.close()
    settle(ending)
    return ending
  }
  const onSignal = () => void close()
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
  return { ...listening, close, closed }
}
