/**
 * ps(1), for systems without /proc: what it prints, read. Pure. The three lists are asked for as
 * `ps -axo pid=,ppid=,stat=,lstart=`, `ps -axwwo pid=,args=`, and the latter with -E, which appends the environment.
 */
import type { Stat } from './proc.js'

/** `lstart` is strftime(3)'s %c, with its seconds: it tells a process from a later one of the same number. */
export function parseProcesses(text: string): Stat[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, state, start] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line) ?? []
    return start === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), state: state![0]!, start }]
  })
}

/** The arguments of each process in one line, by its number. */
export function parseArguments(text: string): Map<number, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, pid, words] = /^\s*(\d+) (.*)$/.exec(line) ?? []
      return words === undefined ? [] : [[Number(pid), words] as const]
    }),
  )
}

/**
 * Whose environment has `mark`, as NAME=value. ps puts arguments and environment into one line, without a border; so only what
 * stands behind the arguments counts, and a process that has the mark in an argument is left alone.
 */
export function whoCarries(mark: string, args: Map<number, string>, withEnvironment: Map<number, string>): number[] {
  return [...withEnvironment].flatMap(([pid, line]) => {
    const words = args.get(pid)?.trimEnd()
    if (words === undefined || !line.startsWith(words)) return []
    return line.slice(words.length).split(' ').includes(mark) ? [pid] : []
  })
}
