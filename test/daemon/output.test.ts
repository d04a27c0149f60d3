/** The daemon's pen, against a log that takes everything, a part, or nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { Output, type OutputHooks } from '../../src/daemon/output.js'
import { type Appended, Appender } from '../../src/log/append.js'
import { Mask } from '../../src/session/mask.js'
import { lines } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'

const noMask = new Mask([])
const quiet: OutputHooks = { onWritten: () => undefined, onBlocked: () => undefined, onBroken: () => undefined }
const say = (content: string) => ({ type: 'text', stream: 'stdout', content }) as const
const contents = (path: string): unknown[] => lines(readFileSync(path, 'utf8')).map((line) => JSON.parse(line).content)

/** A log on a disk that takes only so many lines of each batch, as a full one does. */
class Full extends Appender {
  room = Number.POSITIVE_INFINITY
  syncs = 0
  override append(batch: readonly string[]): Appended {
    if (batch.length <= this.room) return super.append(batch)
    const taken = this.room === 0 ? { lines: 0, bytes: 0 } : super.append(batch.slice(0, this.room))
    this.room = 0
    return { ...taken, error: new AgentzError('LOG_WRITE', 'the disk is full') }
  }
  override sync(): Promise<void> {
    this.syncs++
    return super.sync()
  }
}

t.test('one write for each turn of the event loop, in order; commit means on the disk', async (t) => {
  const path = join(tempDir(t), 'log')
  const appender = new Full(path)
  const writes: [number, boolean][] = []
  const output = new Output(appender, 1, noMask, { ...quiet, onWritten: (bytes, plain) => writes.push([bytes, plain]) })
  for (let i = 0; i < 100; i++) output.emit([say(`line ${i}`)], 'agent')
  t.strictSame(contents(path), [], 'nothing is written at once')
  await output.commit([{ type: 'system', content: 'end' }], 'daemon')
  t.strictSame(contents(path), [...Array.from({ length: 100 }, (_, i) => `line ${i}`), 'end'])
  t.equal(writes.length, 1)
  t.equal(writes[0]?.[1], false, 'not output alone: it has to be read back')
  t.ok(appender.syncs > 0)
})

t.test('a full disk: what was taken is not written twice, the rest comes when there is room', async (t) => {
  const path = join(tempDir(t), 'log')
  const appender = new Full(path)
  const blocked: boolean[] = []
  const output = new Output(appender, 1, noMask, { ...quiet, onBlocked: (error) => blocked.push(error !== undefined) })
  appender.room = 3
  output.emit(
    Array.from({ length: 10 }, (_, i) => say(`line ${i}`)),
    'agent',
  )
  const wait = new Promise<void>((resolve) => setImmediate(() => resolve(output.full())))
  await until(() => blocked.length === 1, 'it is blocked')
  t.strictSame(contents(path), ['line 0', 'line 1', 'line 2'])
  t.ok(output.full(), 'the agent has to wait')
  output.emit([say('later')], 'agent')
  appender.room = Number.POSITIVE_INFINITY
  // The commit of a terminal event, begun while the disk is full: it once spun for ever on the word about the wait.
  await output.commit([], 'daemon')
  await wait
  t.strictSame(blocked, [true, false])
  t.strictSame(contents(path).slice(0, 11), [...Array.from({ length: 10 }, (_, i) => `line ${i}`), 'later'])
  t.match(contents(path)[11], /could not be written for \d+ s; nothing is missing/)
})

t.test('a line that is too long is left out, and says so; its neighbours stay', async (t) => {
  const path = join(tempDir(t), 'log')
  const output = new Output(new Appender(path), 1, noMask, quiet)
  await output.commit([say('before'), say('x'.repeat(1024 * 1024)), say('after')], 'agent')
  t.match(contents(path), ['before', /a text event of 10\d+ bytes is longer than a line may be/, 'after'])
})

t.test('a sync that fails is final: it is told, and nothing is acknowledged any more', async (t) => {
  class Failing extends Appender {
    override sync(): Promise<void> {
      return Promise.reject(new AgentzError('LOG_WRITE', 'fdatasync: EIO'))
    }
  }
  const broken: unknown[] = []
  const appender = new Failing(join(tempDir(t), 'log'))
  const output = new Output(appender, 1, noMask, { ...quiet, onBroken: (error) => broken.push(error) })
  output.emit([say('one')], 'agent')
  await t.rejects(output.commit([say('two')], 'agent'), { code: 'LOG_WRITE' })
  await until(() => broken.length > 0, 'the daemon is told')
})
