/**
 * What units use of memory and CPU, by the files of their control groups, cgroups(7): the manager itself takes milliseconds for each
 * unit, and tells no CPU where accounting is off, which version 2 counts all the same.
 */
import { setImmediate as otherWork } from 'node:timers/promises'
import { textIn } from './cgroup.js'

export interface Consumption {
  readonly memoryBytes?: number | undefined
  readonly cpuSeconds?: number | undefined
}

/** A version 2 hierarchy, the same half of a hybrid one, and version 1, below this. */
const root = '/sys/fs/cgroup'
/** Groups read in one turn: some 50 microseconds each. */
const AT_ONCE = 50

/**
 * @param slice the group in which the units are, as systemd names it
 * @param units by session id
 * @returns those that run
 */
export async function consumptionIn(
  slice: string,
  units: ReadonlyMap<string, string>,
  below: string = root,
): Promise<Map<string, Consumption>> {
  const found = new Map<string, Consumption>()
  let read = 0
  for (const [id, unit] of units) {
    const consumption = consumptionOf(below, `${slice}/${unit}`)
    if (Object.keys(consumption).length > 0) found.set(id, consumption)
    if (++read % AT_ONCE === 0) await otherWork()
  }
  return found
}

function consumptionOf(below: string, group: string): Consumption {
  const memory =
    numberIn(`${below}${group}/memory.current`) ?? numberIn(`${below}/memory${group}/memory.usage_in_bytes`)
  const cpu =
    microseconds(`${below}${group}/cpu.stat`) ??
    microseconds(`${below}/unified${group}/cpu.stat`) ??
    numberIn(`${below}/cpuacct${group}/cpuacct.usage`, 1e9)
  return { ...(memory !== undefined && { memoryBytes: memory }), ...(cpu !== undefined && { cpuSeconds: cpu }) }
}

function microseconds(path: string): number | undefined {
  const found = /^usage_usec (\d+)$/m.exec(textIn(path))
  return found === null ? undefined : Number(found[1]) / 1e6
}

function numberIn(path: string, unit = 1): number | undefined {
  const text = textIn(path).trim()
  return /^\d+$/.test(text) ? Number(text) / unit : undefined
}
