// What the benchmarks share: a home of their own, medians, waiting for a condition, a table.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const cli = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))

/** A fresh AGENTZ_HOME for this process and its children; removed at the end. */
export function freshHome() {
  const home = mkdtempSync(join(tmpdir(), 'agentz-bench-'))
  process.env.AGENTZ_HOME = home
  process.on('exit', () => remove(home))
  return home
}

/** The last reapers may still be writing. */
function remove(home) {
  for (let attempt = 0; ; attempt++) {
    try {
      return rmSync(home, { recursive: true, force: true })
    } catch (error) {
      if (attempt > 50) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
}

export const agentz = (...args) =>
  execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 })

/** Runs a program to its end, output thrown away. Resolves to milliseconds. */
export function time(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0 ? resolve(performance.now() - start) : reject(new Error(`${program} ${args} exited with ${code}`)),
    )
  })
}

export const median = (values) => quantile(values, 0.5)
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}

/** Settles when `condition` returns something, looking each `every` ms. */
export async function until(condition, what, { every = 2, timeout = 120_000 } = {}) {
  const end = Date.now() + timeout
  for (;;) {
    const value = condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}

/** Calls `look` at each change of a file, and settles when it returns something. */
export function changed(path, look) {
  return new Promise((resolve) => {
    const check = () => {
      const value = look()
      if (value === undefined) return
      watcher.close()
      clearInterval(poll)
      resolve(value)
    }
    const watcher = watch(path, check)
    const poll = setInterval(check, 20)
    check()
  })
}

/** Measures pairs in turn, so that a machine that slows down slows both. Resolves to both lists. */
export async function inTurn(times, a, b) {
  const left = []
  const right = []
  await a()
  await b()
  for (let i = 0; i < times; i++) {
    left.push(await a())
    right.push(await b())
  }
  return [left, right]
}

/** One row: what, ours, floor, ratio, target, met. */
export function row(what, ours, floor, target, unit = 'ms') {
  const ratio = ours / floor
  const met = ratio <= target ? 'met' : 'MISSED'
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2))
  console.log(
    `${what}: ${number(ours)} ${unit}, floor ${number(floor)} ${unit}, ratio ${ratio.toFixed(2)} (target ${target}) ${met}`,
  )
}

/** Bytes of memory that programs could still have. */
export const memAvailable = () => 1024 * Number(/MemAvailable: +(\d+)/.exec(readFileSync('/proc/meminfo', 'latin1'))[1])
