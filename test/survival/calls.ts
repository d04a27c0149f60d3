/** The system calls by which a program changes files, found by strace in a run that nothing disturbs; each is then a place to die at. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

const names = ['openat', 'write', 'fdatasync', 'fsync', 'mkdir', 'rmdir', 'utimensat', 'unlink', 'rename']

/** The nth call of its name in one of the threads. It is not executed: SIGKILL acts at the entry. */
export interface Call {
  readonly name: string
  readonly nth: number
}

export const spelled = ({ name, nth }: Call): string => `${name} ${nth}`

/** @param paths what alone is looked at, where it is known beforehand */
export const tracing = (output: string, paths: readonly string[] = []): string[] => [
  ...['strace', '-f', '-qq', '-y', '-s', '0', '-o', output, '-e', `trace=${names.join()}`],
  ...only(paths),
]

export const killing = ({ name, nth }: Call, output: string, paths: readonly string[] = []): string[] => [
  ...['strace', '-f', '-q', '-o', output, '-e', `trace=${name}`],
  ...['-e', `inject=${name}:signal=SIGKILL:when=${nth}`],
  ...only(paths),
]

/** Calls fail with an error of the system, and change nothing. What is written is traced, too. @param nth which ones, as strace has it */
export const failing = ({ name, nth }: { name: string; nth: string }, error: string, output: string): string[] => [
  ...['strace', '-f', '-qq', '-y', '-s', '0', '-o', output, '-e', `trace=write,${name}`],
  ...['-e', `inject=${name}:error=${error}:when=${nth}`],
]

const only = (paths: readonly string[]) => paths.flatMap((path) => ['-P', path])

/** The calls of a trace that had to do with files below `directory` and changed something. */
export function callsIn(output: string, directory: string): Call[] {
  const counts = new Map<string, number>()
  const calls = new Map<string, Call>()
  for (const line of readFileSync(output, 'utf8').split('\n')) {
    const [, pid = '', name = ''] = /^(\d+) +([a-z]+)\(/.exec(line) ?? []
    if (name === '') continue
    const nth = (counts.get(`${pid} ${name}`) ?? 0) + 1
    counts.set(`${pid} ${name}`, nth)
    const call = { name, nth }
    // To die where something is only read is to die before the next call that changes something.
    if (line.includes(directory) && !/O_RDONLY|EEXIST/.test(line)) calls.set(spelled(call), call)
  }
  return [...calls.values()]
}

/** A program that runs another one, the first time under strace. @returns its path */
export function firstUnder(strace: readonly string[], path: string): string {
  const quoted = strace.map((word) => `'${word}'`).join(' ')
  writeFileSync(path, `#!/bin/sh\nif mkdir '${path}.was' 2> /dev/null; then exec ${quoted} "$@"; fi\nexec "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

export const hasKilled = (output: string): boolean =>
  existsSync(output) && readFileSync(output, 'utf8').includes('+++ killed by SIGKILL')
