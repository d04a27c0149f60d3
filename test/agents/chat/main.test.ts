import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { programs } from '../../../src/base/programs.js'
import { until } from '../../helpers/home.js'
import { startMockModel } from '../../mock-model/start.js'
import { processesWith } from '../contract/stage.js'
import { Chat } from './driver.js'

t.test('it wants to be told who to be', async (t) => {
  for (const args of [[], ['claude']]) {
    const { status, stderr } = spawnSync(process.execPath, [programs.chat, ...args], { encoding: 'utf8' })
    t.equal(status, 2)
    t.match(stderr, /say which agent/)
  }
})

t.test('it ends when its input does, or when it is asked to, and takes its tools with it', async (t) => {
  const mock = await startMockModel()
  t.teardown(() => mock.stop())
  for (const how of ['end', 'terminate'] as const) {
    const idle = await new Chat(t, 'demo').start()
    t.same(await idle[how](), [0, null], `${how}, idle`)
    const chat = new Chat(t, 'cerebras', { CEREBRAS_BASE_URL: mock.url })
    const driver = await chat.start(undefined, 'bypassPermissions')
    const mark = join(chat.cwd, 'never')
    void driver.prompt(`MOCK: bash touch started; until [ -e ${mark} ]; do sleep 0.1; done`)
    await until(() => existsSync(join(chat.cwd, 'started')), 'the tool runs')
    t.same(await driver[how](), [0, null], `${how}, busy`)
    t.same(processesWith('cmdline', mark), [])
    t.equal(driver.stderr, '')
  }
})

t.test('lines that are no messages do no harm', async (t) => {
  const input = 'nonsense\n[]\n{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}\n'
  const { status, stdout } = spawnSync(process.execPath, [programs.chat, 'demo'], { input, encoding: 'utf8' })
  t.equal(status, 0)
  t.match(stdout, /"id":1,"result"/)
})
