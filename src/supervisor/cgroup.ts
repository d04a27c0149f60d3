/**
 * Freezing a control group: cgroup.freeze of cgroups(7), version 2, which the v2 half of a hybrid hierarchy has too. Whoever is
 * frozen can be killed, and does nothing else; it costs no CPU, and keeps its memory.
 */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { AgentzError, errno, reason } from '../base/errors.js'
import type { Freezer } from './supervisor.js'

const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
/** A process that waits for a disk is still only once it has come back. */
const PATIENCE_MS = 5_000
const LOOK_AGAIN_MS = 10

/** @param group as systemd names it: an absolute path below the root of the hierarchy @throws UNSUPPORTED */
export function freezerOf(group: string, among: readonly string[] = roots): Freezer {
  const directory = among.map((root) => `${root}${group}`).find((path) => existsSync(`${path}/cgroup.freeze`))
  if (directory === undefined) throw unsupported(`no cgroup v2 with cgroup.freeze is there for ${group}`)
  const file = `${directory}/cgroup.freeze`
  return {
    wanted: () => textIn(file).trim() === '1',
    set: async (wanted) => {
      try {
        accessSync(file, constants.W_OK)
        writeFileSync(file, wanted ? '1' : '0')
      } catch (error) {
        // Its unit has ended meanwhile, and took the group with it.
        if (errno(error) === 'ENOENT' || errno(error) === 'ENODEV') return
        throw unsupported(`${file} cannot be written: ${reason(error)}`, error)
      }
      const isSo = () => textIn(`${directory}/cgroup.events`).split('\n').includes('frozen 1') === wanted
      for (const end = performance.now() + PATIENCE_MS; !isSo() && existsSync(directory); await delay(LOOK_AGAIN_MS)) {
        if (performance.now() < end) continue
        const how = wanted ? 'still' : 'free'
        throw new AgentzError('TIMED_OUT', `not all processes of ${directory} are ${how} after ${PATIENCE_MS / 1000} s`)
      }
    },
  }
}

const unsupported = (why: string, cause?: unknown): AgentzError =>
  new AgentzError('UNSUPPORTED', `cannot freeze or thaw here: ${why}`, {
    cause,
    hint: 'It needs systemd and cgroup v2 (or its half of a hybrid hierarchy), delegated to you.',
  })

/** Empty where there is no such file: of another version of cgroups, or of a group that is gone. */
export function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENODEV') return ''
    throw error
  }
}
