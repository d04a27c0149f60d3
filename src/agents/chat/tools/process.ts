/** A process of a tool: in a group of its own, its output bounded, and gone with all that it started when the turn is stopped. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { killAll, treeOf } from '../../../base/tree.js'
import { within } from '../../process.js'
import { Output } from './output.js'
import type { ToolRun } from './tool.js'

/** How long a process in the background may hold the pipes open once the one that was waited for has ended. */
const PIPE_MS = 500

export interface Ended {
  readonly output: string
  /** As a shell has it: 128 and more for a signal. */
  readonly status: number
  readonly timedOut: boolean
}

/** @throws if it cannot be started, or was stopped */
export async function runProcess(
  [file = '', ...args]: readonly string[],
  { cwd, env, signal }: ToolRun,
  timeoutMs?: number,
): Promise<Ended> {
  signal.throwIfAborted()
  const output = new Output()
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk))
  const closed = new Promise<void>((resolve) => child.once('close', resolve))
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])))
  })
  let timedOut = false
  let killed: Promise<void> | undefined
  const kill = () => {
    killed ??= child.pid === undefined ? Promise.resolve() : killAll(treeOf([child.pid]))
  }
  const expire = () => {
    timedOut = true
    kill()
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
  signal.addEventListener('abort', kill)
  try {
    const status = await exited
    await killed
    signal.throwIfAborted()
    if (!(await within(closed, PIPE_MS))) {
      child.stdout.destroy()
      child.stderr.destroy()
    }
    return { output: output.text, status, timedOut }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
  }
}
