/** Watching a session in the terminal. Detaching harms nothing: the session is the operating system's. */
import { needsAnswer } from '../session/status.js'
import type { Context } from './context.js'
import { exitFor, follow } from './follow.js'
import { LiveRenderer, render } from './render.js'
import { harmless, paint, print, say } from './terminal.js'

/** Prints what happens until the session ends; on Ctrl-C, says how to come back. @returns the exit status */
export async function attach({ home, supervisor }: Context, id: string, from = 0): Promise<number> {
  const detach = new AbortController()
  const onInterrupt = () => detach.abort()
  process.on('SIGINT', onInterrupt)
  const live = process.stdout.isTTY ? new LiveRenderer() : { render }
  let pending = ''
  let talk = ''
  let asked = ''
  const state = await follow(home, supervisor, id, {
    from,
    signal: detach.signal,
    onRecord: (record) => {
      const text = live.render(record) ?? ''
      if (isAboutSession(record.type)) talk += text
      else pending += text
    },
    onBatch: async ({ status, approvals, inputs }) => {
      const text = pending
      pending = ''
      if (text !== '') await print(text)
      if (talk !== '') process.stderr.write(talk)
      talk = ''
      const open = [...approvals.keys(), ...inputs.keys()].join()
      if (needsAnswer(status) && open !== asked)
        say(paint(`${status.replace('_', ' for ')}: agentz show ${id} lists the question`, 'yellow'))
      asked = open
    },
  })
  process.off('SIGINT', onInterrupt)
  if (state === undefined) {
    say(`\ndetached; it goes on. Come back: agentz logs -f ${id}   End it: agentz cancel ${id}`)
    return 0
  }
  if (state.status === 'interrupted' && state.cause?.result === 'lost')
    say(harmless(`interrupted: ${state.cause.message}`))
  return exitFor(state.status)
}

/** What became of the session is talk; what its agent said is data, and all that a pipe gets. */
const isAboutSession = (type: unknown): boolean => /^(session|daemon|cancel)_/.test(String(type))
