/** The doorbell: who rings is heard, also after a daemon was killed, and nobody hangs. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { doorbell, sessionLog } from '../../src/base/paths.js'
import { appendControl } from '../../src/session/control.js'
import { listen, ring } from '../../src/session/doorbell.js'
import { newHome, tempDir, until } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { newSession } from '../helpers/session.js'

// The doorbells of these tests belong to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR

t.test('the doorbell', async (t) => {
  const home = newHome(t)
  const path = doorbell(home, '0123456789ab')
  t.equal(await ring(path), false, 'nobody is there')
  let rings = 0
  const stop = await listen(path, () => rings++)
  t.equal(await ring(path), true)
  await until(() => rings === 1, 'it rings')
  await Promise.all(Array.from({ length: 20 }, () => ring(path)))
  await until(() => rings === 21, 'every ring is heard')
  stop()
  await until(() => !existsSync(path), 'stopping removes the socket')
})

t.test('a socket that a killed daemon left is replaced', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'bell')
  const dead = await program(
    directory,
    `import { createServer } from 'node:net'
    createServer().listen(process.argv[2], () => console.log('listening'))`,
  )
  const child = start(t, [process.execPath, dead, path])
  await child.said('listening')
  child.process.kill('SIGKILL')
  await child.ended
  t.ok(existsSync(path))
  t.equal(await ring(path), false, 'ringing there is no error')
  let rings = 0
  const stop = await listen(path, () => rings++)
  t.teardown(stop)
  t.equal(await ring(path), true)
  await until(() => rings === 1, 'it rings')
})

t.test('whoever appends rings', async (t) => {
  const home = newHome(t)
  const { sessionId: id } = await newSession(home)
  let seen = false
  const stop = await listen(doorbell(home, id), () => {
    seen = readFileSync(sessionLog(home, id), 'utf8').includes('cancel_requested')
  })
  t.teardown(stop)
  await appendControl(home, id, { type: 'cancel_requested' })
  await until(() => seen, 'the daemon is rung when the event is in the file')
})

// A program that accepts and says nothing must not hold up whoever rings: the connection alone is the ring.
t.test('a listener that never answers', async (t) => {
  const path = join(tempDir(t), 'bell')
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.teardown(() => server.close())
  t.equal(await ring(path), true)
})
