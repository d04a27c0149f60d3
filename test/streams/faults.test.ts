/** A server whose disk fails at each sync in turn: what it acknowledges after that is there, and what is sent again is there once. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { failing } from '../survival/calls.js'
import { missing } from '../survival/needs.js'
import { observed, writer } from './story.js'

t.test('EIO at each sync', { skip: missing('strace') && 'there is no strace that can inject' }, async (t) => {
  const dir = tempDir(t)
  const path = await program(dir, writer)
  const run = async (t: Test, strace: string[], name: string) => {
    mkdirSync(join(dir, name))
    const root = join(dir, name, 'home')
    const argv = [...strace, process.execPath, path, root]
    const { code, stdout, stderr } = await start(t, argv, { UV_THREADPOOL_SIZE: '1' }).ended
    return { code, stderr, failures: stdout.match(/^failed.*$/gm) ?? [], told: await observed(root) }
  }
  const usual = await run(t, [], 'usual')
  t.strictSame(usual.failures, [])
  let [refused, again] = [0, 0]
  /** The nth call of its name fails, and each `step`th after it: every call is one of them in one of `step` runs. */
  const turn = async (name: string, nth: number, step: number): Promise<void> => {
    const output = join(dir, `strace-${name}-${nth}`)
    const strace = failing({ name, nth: `${nth}+${step}` }, 'EIO', output)
    const { code, stderr, failures, told } = await run(t, strace, `${name}-${nth}`)
    t.match({ code, stderr, told }, { code: 0, stderr: '', told: usual.told }, `${name} ${nth}+${step}: ${failures}`)
    for (const failure of failures) t.match(failure, /LOG_WRITE$/, 'told in words')
    refused += failures.length
    const lines = readFileSync(output, 'utf8').split('\n')
    for (const [at, line] of lines.entries()) {
      const [, path] = /fdatasync\(\d+<([^>]+)>\) = -1 EIO.*INJECTED/.exec(line) ?? []
      // Of the stream that is made empty nothing is written, and a sidecar need not be written anew at once.
      if (path === undefined || /\/c\.(bin|meta\.ndjson\+)$/.test(path)) continue
      const next = lines.slice(at + 1).find((later) => later.includes(`<${path}>`)) ?? ''
      t.match(next, /write\(/, 'the kernel would say OK to another sync: it is written anew before')
      again++
    }
  }
  const of = (name: string, step: number) => Array.from({ length: step }, (_, n) => () => turn(name, n + 1, step))
  const turns = [...of('fdatasync', 6), ...of('fsync', 6), ...of('unlink', 3), ...of('rename', 1)]
  const worker = async () => {
    for (let next = turns.pop(); next !== undefined; next = turns.pop()) await next()
  }
  await Promise.all([worker(), worker()])
  t.ok(again > 15, `${again} were written anew`)
  t.ok(refused > 30, `${refused} were refused at first`)
})
