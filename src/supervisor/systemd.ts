/** Sessions as transient units of the systemd user manager. */
import { existsSync, lstatSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../base/config.js'
import { AgentzError, errno, reason } from '../base/errors.js'
import { type Home, userRuntimeDirectory } from '../base/paths.js'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { isId } from '../session/id.js'
import type { Spec } from '../session/spec.js'
import { freezerOf } from './cgroup.js'
import { type Consumption, consumptionIn } from './consumption.js'
import { run } from './exec.js'
import { leaveForFailure } from './failure-file.js'
import { systemdAtLogin } from './install.js'
import { proveSandbox, sandboxProperties } from './sandbox.js'
import { capSlice, slice } from './slice.js'
import type { AtLogin, Freezer, Supervisor, UnitDetail, UnitState } from './supervisor.js'

const PREFIX = 'agentz-session-'
const linked = [slice, 'agentz-failed@.service', 'agentz-ended@.service']

/** sysexits that a restart would only repeat: usage, data, login, configuration. */
export const finalExits: readonly unknown[] = [64, 65, 77, 78]

/** More starts than this in the interval, and systemd gives up. */
export const startLimit = { intervalSec: 300, burst: 5 }

/** How long a unit that has ended may be kept by its manager. */
const COLLECTED_MS = 10_000
const LOOK_AGAIN_MS = 50

export const unitName = (id: string): string => `${PREFIX}${id}.service`

/** What systemd-run is told of a session: a pure function, and the only text in it that is ours to choose is the id. */
export function startArgv(spec: Spec, home: Home, where: typeof programs = programs): [string, ...string[]] {
  const id = spec.sessionId
  const properties = [
    `Description=agentz session ${id}`,
    'Type=notify',
    // Node has no datagram Unix sockets: systemd-notify, a child, speaks for the daemon.
    'NotifyAccess=all',
    'TimeoutStartSec=90',
    'WatchdogSec=120',
    'Restart=on-failure',
    'RestartSec=1',
    `StartLimitIntervalSec=${startLimit.intervalSec}`,
    `StartLimitBurst=${startLimit.burst}`,
    `RestartPreventExitStatus=${finalExits.join(' ')}`,
    // Neither finished nor failed units pile up; how they ended is in the log.
    'CollectMode=inactive-or-failed',
    'KillMode=mixed',
    'TimeoutStopSec=20',
    'OOMPolicy=continue',
    'UMask=0077',
    'SyslogIdentifier=agentz',
    `ExecStopPost=${[where.node, argument(where.reaper), id].map(quote).join(' ')}`,
    `OnFailure=agentz-failed@${id}.service`,
    // Where no reaper runs: a stop between two starts. And where it is kept in: in a sandbox. Else its condition ends it at once.
    `OnSuccess=agentz-ended@${id}.service`,
    ...limitProperties(spec.limits),
    ...(spec.sandbox === undefined ? [] : sandboxProperties(spec, home)),
  ]
  return [
    'systemd-run',
    '--user',
    '--quiet',
    '--no-block',
    `--unit=${unitName(id)}`,
    `--slice=${slice}`,
    ...properties.map((property) => `--property=${property}`),
    `--setenv=AGENTZ_HOME=${home.root}`,
    ...(spec.sandbox === undefined ? [] : [`--setenv=AGENTZ_SANDBOX=${spec.sandbox}`]),
    '--',
    where.node,
    argument(where.daemon),
    id,
  ]
}

function limitProperties(limits: Spec['limits']): string[] {
  const { memory, cpu, tasks, runtime } = limits ?? {}
  return [
    ...(memory === undefined ? [] : [`MemoryMax=${memory}`]),
    ...(cpu === undefined ? [] : [`CPUQuota=${cpu}`]),
    ...(tasks === undefined ? [] : [`TasksMax=${tasks}`]),
    ...(runtime === undefined ? [] : [`RuntimeMaxSec=${runtime}`]),
  ]
}

/** Arguments, unlike the program, are searched for $NAME. */
const argument = (word: string): string => word.replaceAll('$', '$$$$')

/**
 * One word of an Exec property. Of a transient unit systemd reads the quotes and backslashes, but not %: doubled, it
 * would stay doubled, and the program not be found.
 */
const quote = (word: string): string => `"${word.replace(/[\\"]/g, '\\$&')}"`

export class SystemdSupervisor implements Supervisor {
  readonly name = 'systemd'
  readonly promises = { restarts: true, limits: ['memory', 'cpu', 'tasks'], lastWord: true } as const
  readonly atLogin: AtLogin
  readonly #home: Home

  constructor(home: Home) {
    this.#home = home
    this.atLogin = systemdAtLogin(home)
  }

  unitName(id: string): string {
    return unitName(id)
  }

  async prepare(): Promise<void> {
    await linkUnits()
    await capSlice(readConfig(this.#home).fleet)
  }

  proveSandbox(spec: Spec): Promise<void> {
    return proveSandbox(spec, this.#home)
  }

  async start(spec: Spec): Promise<void> {
    const argv = startArgv(spec, this.#home)
    // Not by its reaper: what stands there is run outside.
    if (spec.sandbox !== undefined) leaveForFailure(this.#home, spec.sessionId)
    const doing = `start the unit ${unitName(spec.sessionId)}`
    for (const end = performance.now() + COLLECTED_MS; ; await delay(LOOK_AGAIN_MS)) {
      try {
        return void (await run(argv, doing, { timeoutMs: 60_000 }))
      } catch (error) {
        // One that has ended is kept as long as what its end has started: agentz-ended@ and agentz-failed@ work for a moment.
        const isKept = /has a fragment file/.test(reason(error)) && (await this.show(spec.sessionId)) === undefined
        if (!isKept || performance.now() > end) throw error
        await this.#removeLeftover(spec.sessionId)
      }
    }
  }

  /** The file of a unit that a manager which was killed has left, and by which nothing runs. */
  async #removeLeftover(id: string): Promise<void> {
    const file = join(userRuntimeDirectory() ?? '', 'systemd', 'transient', unitName(id))
    if (!existsSync(file)) return
    rmSync(file, { force: true })
    await run(['systemctl', '--user', 'daemon-reload'], 'have the unit files read again')
  }

  howToStart(spec: Spec): string {
    return shellWords(startArgv(spec, this.#home))
  }

  howToLook(id: string): string {
    const unit = unitName(id)
    return `${shellWords(['systemctl', '--user', 'status', unit])}\n${shellWords(['journalctl', '--user', '-u', unit])}`
  }

  async stop(id: string): Promise<void> {
    const unit = await this.show(id)
    if (unit === undefined) return
    // What is frozen takes no signal but the last one, and its reaper would be frozen too.
    if (unit.frozen) await (await this.freezer(id))?.set(false)
    await run(['systemctl', '--user', 'stop', unitName(id)], `stop the unit ${unitName(id)}`, { timeoutMs: 60_000 })
  }

  async list(): Promise<Map<string, UnitState>> {
    const pattern = `${PREFIX}*.service`
    const argv = ['systemctl', '--user', 'list-units', '--all', '--output=json', pattern] as const
    const units: { unit: string; active: string; sub: string }[] = JSON.parse(await run([...argv], 'ask for the units'))
    const states = new Map<string, UnitState>()
    for (const { unit, active, sub } of units) {
      const id = unit.slice(PREFIX.length, -'.service'.length)
      if (isId(id)) states.set(id, { active, sub })
    }
    return states
  }

  async freezer(id: string): Promise<Freezer | undefined> {
    const group = await controlGroup(unitName(id))
    return group === '' ? undefined : freezerOf(group)
  }

  async consumption(ids: readonly string[]): Promise<Map<string, Consumption>> {
    const group = await controlGroup(slice)
    return group === '' ? new Map() : consumptionIn(group, new Map(ids.map((id) => [id, unitName(id)])))
  }

  /** It tells the reaper, at once, and keeps nothing of a unit that is gone. */
  async lastExit(): Promise<undefined> {}

  async show(id: string): Promise<UnitDetail | undefined> {
    const names = 'LoadState,ActiveState,SubState,Job,MainPID,MemoryCurrent,CPUUsageNSec,TasksCurrent,ControlGroup'
    const text = await run(
      ['systemctl', '--user', 'show', '-p', names, unitName(id)],
      `ask for the unit ${unitName(id)}`,
    )
    const values = new Map(
      text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    )
    // A collected unit answers with defaults that look like success: only LoadState tells.
    if (values.get('LoadState') === 'not-found') return undefined
    // A manager that was killed leaves the files of its units to the next one, which runs none of them.
    if (values.get('ActiveState') === 'inactive' && !Number(values.get('Job'))) return undefined
    const number = (name: string) => {
      const value = Number(values.get(name))
      return Number.isSafeInteger(value) ? value : undefined
    }
    const cpu = number('CPUUsageNSec')
    return {
      active: values.get('ActiveState') ?? 'unknown',
      sub: values.get('SubState') ?? 'unknown',
      pid: number('MainPID') || undefined,
      memoryBytes: number('MemoryCurrent'),
      cpuSeconds: cpu === undefined ? undefined : cpu / 1e9,
      tasks: number('TasksCurrent'),
      frozen: isFrozen(values.get('ControlGroup') ?? ''),
    }
  }
}

/** Empty for a unit that does not run. */
async function controlGroup(unit: string): Promise<string> {
  const argv = ['systemctl', '--user', 'show', '-p', 'ControlGroup', '--value', unit] as const
  return (await run([...argv], `ask for the control group of ${unit}`)).trim()
}

function isFrozen(group: string): boolean | undefined {
  if (group === '') return undefined
  try {
    return freezerOf(group).wanted()
  } catch (error) {
    // A version 1 hierarchy alone, or none: whether it is frozen cannot be known.
    if (error instanceof AgentzError && error.code === 'UNSUPPORTED') return undefined
    throw error
  }
}

/** Makes our unit files known to the manager, until it ends, where they are not yet. */
async function linkUnits(): Promise<void> {
  const runtime = process.env.XDG_RUNTIME_DIR
  const missing = linked.filter((unit) => {
    const target = join(programs.units, unit)
    return runtime === undefined || !pointsTo(join(runtime, 'systemd', 'user', unit), target)
  })
  if (missing.length === 0) return
  const files = missing.map((unit) => join(programs.units, unit))
  await run(
    ['systemctl', '--user', 'link', '--runtime', '--force', '--quiet', ...files],
    'link the unit files of agentz',
  )
}

function pointsTo(link: string, target: string): boolean {
  try {
    return lstatSync(link).isSymbolicLink() && readlinkSync(link) === target
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
}
