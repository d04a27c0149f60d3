/** How often the kernel killed for memory in the cgroup of this process. On a hybrid hierarchy systemd cannot tell. */
import { existsSync, readFileSync } from 'node:fs'

/** cgroup v1 `memory.oom_control`, v2 `memory.events`; 0 where neither is there. */
export function oomKills(cgroups = readFileSync('/proc/self/cgroup', 'utf8'), root = '/sys/fs/cgroup'): number {
  for (const line of cgroups.split('\n')) {
    const [, controllers = '', ...rest] = line.split(':')
    const path = rest.join(':')
    const file = controllers.split(',').includes('memory')
      ? `${root}/memory${path}/memory.oom_control`
      : controllers === ''
        ? `${root}${path}/memory.events`
        : undefined
    if (file === undefined || !existsSync(file)) continue
    const kills = Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
    if (kills > 0) return kills
  }
  return 0
}
