/** What a server does with streams, step by step, in a process of its own; and what one that is started after it makes of the files. */
import { readdirSync } from 'node:fs'
import { Memory } from '../../src/base/memory.js'
import { ensureHome, homePaths, streamsDirectory } from '../../src/base/paths.js'
import { Store } from '../../src/streams/store.js'

/**
 * Each step in turn, said when it is done. One that fails is tried again as a client would do: by the same server, then by one that was
 * started again. Where it is told to, it keeps a copy of the files after each step.
 */
export const writer = `
import { cpSync } from 'node:fs'
import { ensureHome, homePaths } from './src/base/paths.js'
import { Store } from './src/streams/store.js'
const home = ensureHome(homePaths(process.argv[2]))
let store = new Store(home)
const text = { contentType: 'text/plain', closed: false }
const json = { contentType: 'application/json', closed: false }
const create = (name, asked, body = '') => store.create(name, asked, () => Buffer.from(body))
const append = (name, bytes, producer, close = false) =>
  store.use(name, (stream) => stream.append({ bytes: Buffer.from(bytes), close, producer }))
const isGone = (error) => ['NOT_FOUND', 'STREAM_GONE'].includes(error.code)
// What could not be said to be gone for good may be gone when it is asked for again.
let refused = false
const remove = (name) => store.delete(name).catch((error) => {
  if (!(refused && isGone(error))) throw error
})
const steps = [
  () => create('t', text, 'abc'),
  () => append('t', 'def', ['p', 0, 0]),
  () => append('t', 'ghi', ['p', 0, 1]),
  () => create('j', json, '1\\n'),
  () => append('j', '2\\n3\\n'),
  () => append('j', '4\\n', ['p', 0, 0]),
  () => append('j', '5\\n', undefined, true),
  () => create('f', { closed: false, fork: { from: 't', offset: 3, sub: 1 } }, '!'),
  () => append('f', '', undefined, true),
  () => remove('t'),
  () => remove('f'),
  () => create('j2', { closed: false, fork: { from: 'j' } }),
  () => remove('j'),
  () => remove('j2'),
  () => create('t', text, 'again'),
  () => create('c', text),
  // The third line of its sidecar makes it so large that it is written anew.
  () => append('c', 'x', ['p'.repeat(70_000), 0, 0]),
  () => append('c', 'y', ['p'.repeat(70_000), 0, 1]),
  () => append('c', 'z', ['p'.repeat(70_000), 0, 2]),
]
for (const [at, step] of steps.entries()) {
  for (let turn = 0; ; turn++) {
    try {
      await step()
      refused = false
      break
    } catch (error) {
      refused = true
      console.log('failed ' + at + ' ' + error.code)
      if (turn > 4) process.exit(1)
      if (turn === 0) continue
      store.close()
      store = new Store(home)
    }
  }
  console.log('done ' + at)
  if (process.argv[3]) cpSync(process.argv[2], process.argv[3] + at, { recursive: true })
}
process.exit(0)
`

const names = ['t', 'j', 'f', 'j2', 'c']

/** What a server that is started now would tell of all of them. */
export async function observed(root: string): Promise<string> {
  const home = ensureHome(homePaths(root))
  const store = new Store(home)
  const told = names.map(async (name) => {
    try {
      return await store.use(name, async (stream) => {
        const { closed, producers } = stream.meta
        const claims = [...producers].map(([id, claim]) => [id.slice(0, 8), claim])
        return [name, stream.read(0, stream.end, new Memory()).toString(), closed, claims]
      })
    } catch (error) {
      return [name, (error as { code: string }).code]
    }
  })
  const all = JSON.stringify(await Promise.all(told))
  store.close()
  // Whatever was not finished leaves nothing behind.
  const left = readdirSync(streamsDirectory(home)).filter((name) => !/^\w+\.(bin|ndjson|meta\.ndjson)$/.test(name))
  return left.length === 0 ? all : `${all} and ${left}`
}
