/** The cap on all sessions together: properties of the slice in which their units run, as config.json has them. */
import { bytes, type Fleet } from '../base/limits.js'
import { run } from './exec.js'

export const slice = 'agentz.slice'

const MICROSECONDS = { us: 1, ms: 1e3, s: 1e6, min: 6e7, h: 36e8, d: 864e8 } as const

/** Sets what differs, until the manager ends. What config.json does not name stays as it is. */
export async function capSlice(fleet: Fleet): Promise<void> {
  if (fleet.memory === undefined && fleet.cpu === undefined && fleet.tasks === undefined) return
  const names = 'MemoryMax,CPUQuotaPerSecUSec,TasksMax'
  const doing = `cap all sessions together by ${slice}`
  const settings = differing(fleet, await run(['systemctl', '--user', 'show', '-p', names, slice], doing))
  if (settings.length === 0) return
  await run(['systemctl', '--user', 'set-property', '--runtime', slice, ...settings], doing)
}

/** The assignments that make of what `show` printed what is wanted. Pure. */
export function differing({ memory, cpu, tasks }: Fleet, shown: string): string[] {
  const values = new Map(shown.split('\n').map((line) => line.split('=', 2) as [string, string]))
  const is = (name: string, wanted: number | null, read: (text: string) => number) => {
    const text = values.get(name) ?? ''
    return text === 'infinity' ? wanted === null : read(text) === wanted
  }
  const settings: string[] = []
  if (memory !== undefined && !is('MemoryMax', memory === null ? null : bytes(memory), Number)) {
    settings.push(`MemoryMax=${memory ?? 'infinity'}`)
  }
  const share = typeof cpu === 'string' ? Number.parseInt(cpu, 10) * 1e4 : null
  // A quota that is empty is none.
  if (cpu !== undefined && !is('CPUQuotaPerSecUSec', share, microseconds)) settings.push(`CPUQuota=${cpu ?? ''}`)
  if (tasks !== undefined && !is('TasksMax', tasks, Number)) settings.push(`TasksMax=${tasks ?? 'infinity'}`)
  return settings
}

/** A time span as systemd prints it: 1min 30.500000s. */
function microseconds(text: string): number {
  let sum = 0
  for (const [, number, unit] of text.matchAll(/([0-9.]+)([a-z]+)/g)) {
    sum += Number(number) * MICROSECONDS[unit as keyof typeof MICROSECONDS]
  }
  return Math.round(sum)
}
