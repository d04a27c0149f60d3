import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { doorbell, ensureHome, homePaths, privateDirectory, serverSocket } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import { isRoot, newHome, tempDir } from '../helpers/home.js'

const mode = (path: string) => lstatSync(path).mode & 0o777
const rootOnly = { skip: isRoot ? false : 'only root can give a file away' }

t.test('AGENTZ_HOME', async (t) => {
  const before = process.env.AGENTZ_HOME
  t.teardown(() => {
    if (before === undefined) delete process.env.AGENTZ_HOME
    else process.env.AGENTZ_HOME = before
  })
  process.env.AGENTZ_HOME = 'relative/home'
  t.equal(homePaths().root, resolve('relative/home'), 'a relative one is made absolute')
  process.env.AGENTZ_HOME = ''
  t.match(homePaths().root, /\/\.agentz$/, 'an empty one is none')
  t.notOk(existsSync(resolve('relative')), 'nothing is created')
})

t.test('a new one is private, whatever the umask', async (t) => {
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const home = ensureHome(homePaths(join(tempDir(t), 'deep', 'home')))
  for (const path of [home.root, home.sessions, home.cache]) t.equal(mode(path), 0o700, path)
  t.equal(ensureHome(home), home, 'and may be there already')
})

// It is not closed for them: with AGENTZ_HOME mistyped it could be anybody's directory.
t.test('one that others may enter is refused, and left as it is', async (t) => {
  for (const wide of [0o755, 0o777, 0o710, 0o704]) {
    for (const which of ['root', 'sessions', 'cache'] as const) {
      const home = newHome(t)
      chmodSync(home[which], wide)
      t.throws(() => ensureHome(home), { code: 'HOME_UNUSABLE', message: /others may enter it; chmod 700 / }, which)
      t.equal(mode(home[which]), wide)
    }
  }
})

t.test('what cannot be one', async (t) => {
  const directory = tempDir(t)
  const file = join(directory, 'file')
  writeFileSync(file, 'x')
  t.throws(() => ensureHome(homePaths(file)), {
    code: 'HOME_UNUSABLE',
    message: /file as a private directory: it is not/,
  })
  t.throws(() => ensureHome(homePaths(join(file, 'below'))), { code: 'HOME_UNUSABLE' })
  t.equal(readFileSync(file, 'utf8'), 'x')
  const target = join(directory, 'target')
  mkdirSync(target, { mode: 0o755 })
  symlinkSync(target, join(directory, 'link'))
  t.throws(() => ensureHome(homePaths(join(directory, 'link'))), { code: 'HOME_UNUSABLE', message: /symbolic link/ })
  t.equal(mode(target), 0o755, 'the target is left as it is')
  symlinkSync(join(directory, 'nothing'), join(directory, 'dangling'))
  t.throws(() => ensureHome(homePaths(join(directory, 'dangling'))), { code: 'HOME_UNUSABLE' })
})

t.test('one of another user', rootOnly, async (t) => {
  const directory = join(tempDir(t), 'home')
  mkdirSync(directory)
  chownSync(directory, 65534, 65534)
  t.throws(() => privateDirectory(directory), { code: 'HOME_UNUSABLE', message: /belongs to uid 65534, not to you/ })
})

t.test('sockets live in the runtime directory, if there is one', async (t) => {
  const before = process.env.XDG_RUNTIME_DIR
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR
    else process.env.XDG_RUNTIME_DIR = before
  })
  const home = homePaths('/h')
  process.env.XDG_RUNTIME_DIR = '/run/user/1'
  t.equal(doorbell(home, 'x'), '/run/user/1/agentz/x')
  delete process.env.XDG_RUNTIME_DIR
  t.match(serverSocket(home), /^\/h\/run\/server-[0-9a-f]{8}\.sock$/, 'not that of the usual home')
  t.equal(serverSocket(homePaths(join(homedir(), '.agentz'))), join(homedir(), '.agentz/run/server.sock'))
})

t.test('the token', async (t) => {
  const home = newHome(t)
  const token = ensureToken(home)
  t.match(token, /^[\w-]{43}$/)
  t.equal(mode(home.token), 0o600)
  t.equal(ensureToken(home), token, 'it is made once')
  t.same(
    readdirSync(home.root).filter((name) => name.startsWith('token')),
    ['token'],
    'nothing is left beside it',
  )
  chmodSync(home.token, 0o640)
  t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE', message: /others may read it/ })
  chmodSync(home.token, 0o600)
  for (const text of ['', 'short\n', `${'a'.repeat(50)} b\n`]) {
    writeFileSync(home.token, text)
    t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE', message: /holds no token/ }, JSON.stringify(text))
  }
  const other = newHome(t)
  writeFileSync(join(other.root, 'mine'), `${'a'.repeat(43)}\n`, { mode: 0o600 })
  symlinkSync('mine', other.token)
  t.throws(() => ensureToken(other), { code: 'HOME_UNUSABLE' }, 'a link is not followed')
})

t.test('a token of another user', rootOnly, async (t) => {
  const home = newHome(t)
  writeFileSync(home.token, `${'a'.repeat(43)}\n`, { mode: 0o600 })
  chownSync(home.token, 65534, 65534)
  t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE', message: /of this user/ })
})
