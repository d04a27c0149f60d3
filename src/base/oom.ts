/**
 * Whether the kernel killed something in this process's cgroup for want of memory. The exit of the victim says only
 * SIGKILL; the counter of the cgroup tells. proc(5), cgroups(7): v2 `memory.events`, v1 `memory.oom_control`.
 */
import { readFileSync } from 'node:fs'
import { errno } from './errors.js'

/** OOM kills in our cgroup so far; 0 where nothing counts them. A hybrid hierarchy counts in its v1 half. */
export function oomKills(list = '/proc/self/cgroup', root = '/sys/fs/cgroup'): number {
  const cgroups = read(list).split('\n')
  const v1 = pathOf(cgroups, (controllers) => controllers.split(',').includes('memory'))
  const v2 = pathOf(cgroups, (controllers) => controllers === '')
  return Math.max(
    v1 === undefined ? 0 : count(`${root}/memory${v1}/memory.oom_control`),
    v2 === undefined ? 0 : count(`${root}${v2}/memory.events`),
  )
}

/** A line is `id:controllers:path`; the path may hold colons. */
function pathOf(cgroups: readonly string[], wanted: (controllers: string) => boolean): string | undefined {
  for (const line of cgroups) {
    const [, controllers = '', ...path] = line.split(':')
    if (path.length > 0 && wanted(controllers)) return path.join(':')
  }
  return undefined
}

function count(file: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(read(file))?.[1] ?? 0)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ENODEV', 'EPERM'].includes(errno(error) ?? '')) return ''
    throw error
  }
}
