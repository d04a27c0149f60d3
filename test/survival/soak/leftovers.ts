/** What sessions that are over may have left behind: a control group, a file in the runtime directory, a process that carries their mark. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { doorbell, type Home } from '../../../src/base/paths.js'
import { failureFile } from '../../../src/supervisor/failure-file.js'
import { pause } from './process.js'

const GROUPS = '/sys/fs/cgroup'

/** What has ended just now may still be put away. */
const PATIENCE_MS = 10_000

/** @returns what stays, by the id of its session */
export async function leftovers(home: Home, ids: readonly string[]): Promise<Map<string, string[]>> {
  for (const end = Date.now() + PATIENCE_MS; ; await pause(200)) {
    const left = now(home, ids)
    if ([...left.values()].every((each) => each.length === 0) || Date.now() > end) return left
  }
}

function now(home: Home, ids: readonly string[]): Map<string, string[]> {
  const left = new Map<string, string[]>(ids.map((id) => [id, []]))
  const add = (id: string | undefined, what: string) => id !== undefined && left.get(id)?.push(what)
  for (const group of groupsBelow(GROUPS))
    add(/agentz-session-([0-9a-f]{12})\.service$/.exec(group)?.[1], `the control group ${group}`)
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    add(/(?:^|\0)AGENTZ_SESSION_ID=([0-9a-f]{12})(?:\0|$)/.exec(environment(pid))?.[1], `the process ${pid}`)
  for (const id of ids)
    for (const file of [doorbell(home, id), failureFile(home, id)]) if (existsSync(file)) add(id, `the file ${file}`)
  return left
}

function groupsBelow(directory: string): string[] {
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return below.flatMap(({ name }) => [join(directory, name), ...groupsBelow(join(directory, name))])
  } catch {
    // It has gone while it was looked at; or there are none on this machine.
    return []
  }
}

function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    // It has gone while it was looked at, or is another user's.
    return ''
  }
}
