/** A server whose disk fails at each sync in turn: what it acknowledges after that is there, and what is sent again is there once. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { callsIn, failing, spelled, tracing } from '../survival/calls.js'
import { missing } from '../survival/needs.js'
import { observed, writer } from './story.js'

const failed = new Set(['fdatasync', 'fsync', 'rename', 'unlink'])

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
  const trace = join(dir, 'trace')
  const usual = await run(t, tracing(trace), 'traced')
  t.strictSame(usual.failures, [])
  const calls = callsIn(trace, join(dir, 'traced', 'home', 'streams')).filter(({ name }) => failed.has(name))
  let [refused, again] = [0, 0]
  const turn = async (at: number): Promise<void> => {
    const call = calls[at]
    if (call === undefined) return
    const output = join(dir, `strace-${at}`)
    const { code, stderr, failures, told } = await run(t, failing(call, 'EIO', output), `failed-${at}`)
    t.match({ code, stderr, told }, { code: 0, stderr: '', told: usual.told }, `${spelled(call)}: ${failures}`)
    for (const failure of failures) t.match(failure, /LOG_WRITE$/, 'told in words')
    refused += failures.length > 0 ? 1 : 0
    // The kernel would say OK to the next sync of what it has not written: it must have been written anew before.
    const [, path = '', rest = ''] =
      /fdatasync\(\d+<([^>]+)>\) = -1 EIO[^\n]*INJECTED\)([\s\S]*)/.exec(readFileSync(output, 'utf8')) ?? []
    if (path !== '' && !path.endsWith('/c.bin')) {
      t.ok(
        rest.includes(`<${path}>`) && /write/.test(rest.slice(0, rest.indexOf(`<${path}>`))),
        `${path} is written anew`,
      )
      again++
    }
    await turn(at + 2)
  }
  await Promise.all([turn(0), turn(1)])
  t.ok(again > 15, `${again} were written anew`)
  t.ok(refused > calls.length / 2, `${refused} of ${calls.length} were refused at first`)
})
