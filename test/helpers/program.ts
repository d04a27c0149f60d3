/** Other processes for tests: a few lines of TypeScript, bundled with what they import from src/, run by a bare node. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Test } from 'tap'
import { until } from './home.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Writes the program to `directory`. Its imports are relative to the root of the project: './src/log/append.js'. */
export async function program(directory: string, contents: string, name = 'program'): Promise<string> {
  const outfile = join(directory, `${name}.mjs`)
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: "import{createRequire as __c}from'node:module';const require=__c(import.meta.url);" },
    logLevel: 'error',
  })
  return outfile
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly ended: Promise<Ended>
  /** Resolves when `text` stands in its output; rejects if it ends before. */
  said(text: string): Promise<void>
  tell(text: string): void
}

/** Starts a process; it is killed with the test, by its pid. */
export function start(t: Test, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  // The test runner puts itself into every process by NODE_OPTIONS, at this very call: env(1) takes it out again.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...argv], { env: { ...process.env, ...env }, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  let over = false
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      over = true
      resolve({ code, signal, stdout, stderr })
    })
  })
  t.teardown(async () => {
    if (!over) child.kill('SIGKILL')
    await ended
  })
  return {
    process: child,
    pid: child.pid ?? 0,
    ended,
    said: async (text) => {
      await until(() => stdout.includes(text) || over, `the process says ${JSON.stringify(text)}`)
      if (!stdout.includes(text)) throw new Error(`it ended without saying ${JSON.stringify(text)}: ${stderr}`)
    },
    tell: (text) => void child.stdin.write(text),
  }
}

/** Starts a program of `program` with node and waits for its end. */
export const runProgram = (t: Test, path: string, ...args: string[]): Promise<Ended> =>
  start(t, [process.execPath, path, ...args]).ended
