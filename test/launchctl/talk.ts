/** agentz under a launchd of its own, with an agent that does as it is told. */
import { dirname } from 'node:path'
import type { Test } from 'tap'
import { Talk } from '../helpers/fake-claude.js'
import { type Options, StandIn } from './stand-in.js'

export async function underLaunchd(t: Test, options: Options = {}): Promise<{ a: Talk; launchd: StandIn }> {
  const a = new Talk(t)
  const launchd = new StandIn(t, { home: dirname(a.dir), ...options })
  await launchd.start()
  Object.assign(a.env, launchd.env, { PATH: `${launchd.bin}:${a.env.PATH}` })
  return { a, launchd }
}
