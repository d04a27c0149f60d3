/** Where a row is played: agentz under one supervisor, and what a person does to a session there by the system's own means. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import type { Test } from 'tap'
import type { Home } from '../../src/base/paths.js'
import { argumentsOf, processes } from '../../src/base/proc.js'
import { killAll, killMarked, treeOf } from '../../src/base/tree.js'
import { LaunchdSupervisor } from '../../src/supervisor/launchd/launchd.js'
import { PlainSupervisor } from '../../src/supervisor/plain/plain.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import { SystemdSupervisor } from '../../src/supervisor/systemd.js'
import { systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import type { StandIn } from '../launchctl/stand-in.js'
import { underLaunchd } from '../launchctl/talk.js'
import type { SupervisorName } from './row.js'
import { ofType, unitOf } from './stage.js'

export interface Place {
  readonly a: Talk
  readonly supervisor: Supervisor
  /** Its launchd, where one is played. */
  readonly launchd?: StandIn
  /** Stops a session as somebody does who knows nothing of agentz; resolves when all of it has ended. */
  stop(id: string): Promise<void>
  /** SIGKILLs all processes of a session, whoever keeps its daemon too. */
  kill(id: string): Promise<void>
}

/** @param home made before, where it is a special one */
export async function place(t: Test, name: SupervisorName, home?: Home): Promise<Place> {
  if (name === 'launchd' && process.platform !== 'darwin') {
    const { a, launchd } = await underLaunchd(t, {}, home)
    const { PATH, XDG_RUNTIME_DIR } = process.env
    // For what of agentz runs in this process itself.
    Object.assign(process.env, { PATH: a.env.PATH, XDG_RUNTIME_DIR: '' })
    t.teardown(() => Object.assign(process.env, { PATH, XDG_RUNTIME_DIR }))
    return { ...underName(a, name), launchd }
  }
  const a = new Talk(t, home)
  a.env.AGENTZ_SUPERVISOR = name
  const one = underName(a, name)
  // Of systemd, agentz has seen to that.
  if (name !== 'systemd') t.teardown(() => Promise.all(idsIn(a.home).map((id) => one.supervisor.stop(id))))
  return one
}

function underName(a: Talk, name: SupervisorName): Place {
  const gone = (supervisor: Supervisor, id: string) =>
    until(async () => (await supervisor.show(id)) === undefined, 'nothing carries it', 60_000)
  const kill = (id: string) => {
    const roots = processes().filter(({ pid }) => isOf(id, argumentsOf(pid)))
    return killAll(treeOf(roots.map(({ pid }) => pid))).then(() => killMarked(id))
  }
  if (name === 'systemd') {
    const supervisor = new SystemdSupervisor(a.home)
    const tell =
      (...words: string[]) =>
      async (id: string) =>
        void systemctl(...words, unitOf(id))
    return { a, supervisor, stop: tell('stop'), kill: tell('kill', '-s', 'KILL') }
  }
  if (name === 'plain') {
    const supervisor = new PlainSupervisor(a.home)
    const stop = async (id: string) => {
      process.kill(Number(ofType(a, id, 'daemon_started').at(-1)?.pid), 'SIGTERM')
      await gone(supervisor, id)
    }
    return { a, supervisor, stop, kill }
  }
  const supervisor = new LaunchdSupervisor(a.home)
  const stop = async (id: string) => {
    const job = `gui/${process.getuid?.()}/${supervisor.unitName(id)}`
    spawnSync('launchctl', ['bootout', job], { env: a.env, stdio: 'ignore' })
    await gone(supervisor, id)
  }
  return { a, supervisor, stop, kill }
}

/** Its daemon, or the keeper of that. */
const isOf = (id: string, words: readonly string[]): boolean =>
  words.includes(id) && words.some((word) => /\/(daemon\.cjs|keep-session\.sh)$/.test(word))

const idsIn = ({ sessions }: Home): string[] =>
  existsSync(sessions) ? readdirSync(sessions).flatMap((name) => /^(.+)\.ndjson$/.exec(name)?.[1] ?? []) : []
