/** agentz under a launchd of its own, with an agent that does as it is told. */
import { dirname } from 'node:path'
import type { Test } from 'tap'
import type { Home } from '../../src/base/paths.js'
import { Talk } from '../helpers/fake-claude.js'
import { type Options, StandIn } from './stand-in.js'

export async function underLaunchd(
  t: Test,
  options: Options = {},
  home?: Home,
): Promise<{ a: Talk; launchd: StandIn }> {
  const a = new Talk(t, home)
  const launchd = new StandIn(t, { home: dirname(a.dir), ...options })
  await launchd.start()
  Object.assign(a.env, launchd.env, { PATH: `${launchd.bin}:${a.env.PATH}` })
  return { a, launchd }
}
