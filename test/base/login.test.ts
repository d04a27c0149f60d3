import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CODE_MS, fileOf, issueCode, leadTo, takeCode } from '../../src/base/login.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, runProgram } from '../helpers/program.js'

t.test('a code is good once', async (t) => {
  const home = newHome(t)
  const code = issueCode(home)
  t.match(code, /^[\w-]{43}$/)
  t.equal(statSync(home.logins).mode & 0o777, 0o700)
  t.equal(statSync(fileOf(home, code)).mode & 0o777, 0o600)
  t.notMatch(
    readFileSync(fileOf(home, code), 'utf8') + readdirSync(home.logins).join(),
    code,
    'the code stands nowhere',
  )
  t.equal(
    takeCode(
      home,
      code.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    ),
    false,
    'nearly it',
  )
  t.equal(takeCode(home, code), true)
  t.equal(takeCode(home, code), false, 'not twice')
  t.same(readdirSync(home.logins), [])
})

t.test('and for a minute, whatever the clock does', async (t) => {
  const home = newHome(t)
  const now = Date.now()
  t.equal(takeCode(home, issueCode(home, now), now + CODE_MS), false, 'too late')
  t.equal(takeCode(home, issueCode(home, now), now - 1), false, 'the clock went back: it might be good for years')
  t.equal(takeCode(home, issueCode(home, now), now + CODE_MS - 1), true)
  const left = issueCode(home, now - CODE_MS)
  writeFileSync(join(home.logins, 'other'), 'x')
  issueCode(home, now)
  t.notOk(existsSync(fileOf(home, left)), 'what nobody used is taken away by the next one')
  t.equal(readdirSync(home.logins).length, 2, 'and nothing else')
})

t.test('what stands in its place', async (t) => {
  const home = newHome(t)
  const code = issueCode(home)
  for (const text of ['', 'x', '-1', 'Infinity', '1e400', `${Date.now() + 10 * CODE_MS}`]) {
    writeFileSync(fileOf(home, code), text, { mode: 0o600 })
    t.equal(takeCode(home, code), false, JSON.stringify(text))
  }
  symlinkSync(join(tempDir(t), 'x'), fileOf(home, code))
  t.throws(() => takeCode(home, code), { code: 'HOME_UNUSABLE', message: /ELOOP/ }, 'a link is not followed')
  t.equal(takeCode(home, '../../token'), false, 'a name is always a hash')
  rmSync(fileOf(home, code))
  const wide = issueCode(home)
  chmodSync(fileOf(home, wide), 0o644)
  for (const use of [() => takeCode(home, wide), () => issueCode(home)])
    t.throws(use, { code: 'HOME_UNUSABLE', message: /others may read it/ })
})

t.test('the page that leads to it tells others nothing', async (t) => {
  const home = newHome(t)
  const code = issueCode(home)
  const path = leadTo(home, code, `http://x.localhost:1/login#${code}`)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notMatch(path, code)
  t.match(readFileSync(path, 'utf8'), `url=http://x.localhost:1/login#${code}`)
})

t.test('of twenty at once, in several processes, one is let in', async (t) => {
  const home = newHome(t)
  const path = await program(
    tempDir(t),
    `import { takeCode } from './src/base/login.js'
     import { homePaths } from './src/base/paths.js'
     const [root, code, at] = process.argv.slice(2)
     while (Date.now() < Number(at)) {}
     let won = 0
     for (let n = 0; n < 5; n++) if (takeCode(homePaths(root), code)) won++
     console.log(won)`,
  )
  for (let round = 0; round < 5; round++) {
    const code = issueCode(home)
    const at = String(Date.now() + 400)
    const all = await Promise.all([1, 2, 3, 4].map(() => runProgram(t, path, home.root, code, at)))
    t.equal(
      all.reduce((sum, { stdout }) => sum + Number(stdout), 0),
      1,
      all.map(({ stdout, stderr }) => stdout + stderr).join(),
    )
  }
})
