/** What some rows need of a machine, found out by trying it. */
import { spawnSync } from 'node:child_process'

const works = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** The library that gives programs another clock; empty where there is none. */
export const faketime = (): string =>
  spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).stdout?.trim() ?? ''

const probes = {
  strace: () => works('strace', '-qq', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO', 'true'),
  userns: () => works('unshare', '-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_inotify_watches'),
  faketime: () => faketime() !== '',
  loop: () => works('losetup', '--find') && works('mkfs.ext4', '-V'),
}

export const missing = (need: keyof typeof probes): boolean => !probes[need]()
