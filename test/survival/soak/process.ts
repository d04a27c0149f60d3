/** Processes and pauses of the soak. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** @param killAfter milliseconds until it is killed in its work, if it is to be */
export function outcomeOf(
  child: ChildProcess,
  killAfter?: number,
): Promise<{ code: number | null; out: string; err: string }> {
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  let [out, err] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })
}

/** Kills a process that has `word` on its command line: a pid may be another one's by now. */
export function killNamed(pid: number, word: string): boolean {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)) return false
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    // It is gone already.
    return false
  }
}
