/** The words of a program beside its work: they may be lost, and the work goes on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lines } from '../helpers/agentz.js'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const talks = `
import { createLogger, createQuietLogger } from './src/base/logger.js'
const [quiet, logger] = [createQuietLogger('x'), await createLogger('y')]
for (let n = 0; n < 3; n++) {
  quiet.error({ n }, 'a word')
  await quiet.flushed()
  logger.warn({ n }, 'another one')
  await new Promise((resolve) => setTimeout(resolve, 10))
}
console.log('it goes on')
`

t.test('nobody ends because his words cannot be written', async (t) => {
  const directory = tempDir(t)
  const path = await program(directory, talks)
  const kept = join(directory, 'kept')
  const places = {
    'a full disk': '"$@" 2> /dev/full',
    'a pipe that nobody reads': 'set -o pipefail; { "$@" 2>&1 >&3 | true; } 3>&1',
    'a file': `"$@" 2> '${kept}'`,
  }
  for (const [where, script] of Object.entries(places)) {
    const ended = await start(t, ['bash', '-c', script, 'bash', process.execPath, path]).ended
    t.match(ended, { code: 0, stdout: /it goes on/ }, where)
  }
  t.equal(lines(readFileSync(kept, 'utf8')).length, 6)
})

const ends = (how: string) => `
import { createServerLogger } from './src/base/logger.js'
const logger = await createServerLogger()
logger.info({ n: 1 }, 'request')
logger.info({ n: 2 }, 'request')
${how}
`

t.test('lines that wait for others are written in time', async (t) => {
  const kept = async (how: string) => {
    const directory = tempDir(t)
    const path = await program(directory, ends(how))
    const file = join(directory, 'kept')
    await start(t, ['bash', '-c', `"$@" 2> '${file}'`, 'bash', process.execPath, path]).ended
    return lines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line).n)
  }
  t.strictSame(await kept(''), [1, 2], 'before the end')
  t.strictSame(await kept('process.exit(1)'), [1, 2], 'before another end')
  t.strictSame(
    await kept("logger.warn({ n: 3 }, 'worse'); process.kill(process.pid, 'SIGKILL')"),
    [1, 2, 3],
    'with what is worse',
  )
  t.strictSame(
    await kept("for (;;) logger.info({ n: 3, text: 'x'.repeat(70000) }, 'much'), process.kill(process.pid, 'SIGKILL')"),
    [1, 2, 3],
    'if there are many',
  )
})
