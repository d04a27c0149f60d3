/** Watching a session in the terminal. Detaching harms nothing: the session is the operating system's. */
import type { Whose } from '../session/cause.js'
import type { SessionState } from '../session/state.js'
import { needsAnswer } from '../session/status.js'
import { supervisorOf } from '../supervisor/choose.js'
import type { Context } from './context.js'
import { exitFor, follow } from './follow.js'
import { howToAnswer } from './question.js'
import { damageNote, LiveRenderer, render } from './render.js'
import { harmless, print, say } from './terminal.js'

/** Prints what happens until the session ends; on Ctrl-C, says how to come back. @returns the exit status */
export async function attach(ctx: Context, id: string, from = 0): Promise<number> {
  const detach = new AbortController()
  const onInterrupt = () => detach.abort()
  process.on('SIGINT', onInterrupt)
  const live = process.stdout.isTTY ? new LiveRenderer() : { render }
  // In the order in which it happened, also where both go to one terminal.
  let pending: { isTalk: boolean; text: string }[] = []
  let asked = ''
  const state = await follow(ctx.home, ctx.supervisor, id, {
    from,
    signal: detach.signal,
    onRecord: (record, now) => {
      const text = live.render(record, whose(ctx, now)) ?? ''
      const isTalk = isAboutSession(record.type)
      const last = pending.at(-1)
      if (last?.isTalk === isTalk) last.text += text
      else if (text !== '') pending.push({ isTalk, text })
    },
    onDamage: (damage) => pending.push({ isTalk: true, text: damageNote(damage) }),
    onBatch: async (now, isNow) => {
      const texts = pending
      pending = []
      for (const { isTalk, text } of texts) {
        if (isTalk) process.stderr.write(text)
        else await print(text)
      }
      const open = [...now.approvals.keys(), ...now.inputs.keys()].join()
      if (isNow && needsAnswer(now.status) && open !== asked) say(howToAnswer(now, true))
      if (isNow) asked = open
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
const isAboutSession = (type: unknown): boolean => typeof type === 'string' && /^(session|daemon|cancel)_/.test(type)

/** Of which session events are, for render(). */
export const whose = ({ home, supervisor }: Context, state: SessionState): Whose => ({
  agentType: state.spec.agentType,
  unit: supervisorOf(home, supervisor, state).unitName(state.spec.sessionId),
})
