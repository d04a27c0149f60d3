/** Watching a session: what is asked, how to answer it, what came of it, and all of it once and in order. */

import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cliPath, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'

requireManager()

/** Runs a verb with both of its outputs in one file, as on a terminal. */
function watched(a: Talk, ...args: string[]) {
  const path = join(a.dir, 'screen')
  const file = openSync(path, 'w')
  const child = spawn(process.execPath, [cliPath, ...args], { env: a.env, cwd: a.dir, stdio: ['ignore', file, file] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const screen = () => readFileSync(path, 'utf8')
  const shows = (text: string) => until(() => screen().includes(text), `the screen shows ${JSON.stringify(text)}`)
  return { ended, screen, shows }
}

t.test('a request comes with the line that answers it, and what follows the answer is seen', async (t) => {
  const a = new Talk(t)
  const { ended, screen, shows } = watched(a, 'run', 'ask make check')
  await shows('-r')
  const id = /session ([0-9a-f]{12})/.exec(screen())?.[1] ?? ''
  const { approvals } = a.show(id) as unknown as { approvals: { requestId: string }[] }
  const [first, second] = approvals.map(({ requestId }) => requestId)
  await shows(`waiting for approval; answer it with one of:\n`)
  await shows(`  Bash {"command":"make"}\n  agentz approve ${id} ${first}\n`)
  t.equal(a.do('approve', id, first ?? '').status, 0)
  await shows(
    `answer it with one of:\n  agentz approve ${id}\n  agentz approve ${id} --always\n  agentz deny ${id} -r 'why not'\n`,
  )
  t.equal(a.do('deny', id, '-r', 'it is late').status, 0)
  t.equal(await ended, 0)
  const story = [
    'wants',
    '! allowed by user (cli)',
    '! denied by user (cli): it is late',
    'make: allow, check: deny it is late',
    '✔ completed',
  ]
  const places = story.map((part) => screen().indexOf(part))
  t.strictSame(
    places,
    [...places].sort((one, other) => one - other),
    'in order',
  )
  t.notOk(places.includes(-1), screen())
  t.match(screen(), second)
})

t.test('logs -f of a session that has ended and was taken up again: to its true end, in order', async (t) => {
  const a = new Talk(t)
  const id = await a.over(`say ${'x'.repeat(100_000)}`)
  const first = watched(a, 'logs', '-f', id)
  t.equal(await first.ended, 0, 'it has ended')
  t.ok(first.screen().length > 100_000)
  t.equal(a.do('send', id, 'question Which?|red|blue').status, 0)
  const again = watched(a, 'logs', '-f', id)
  await again.shows(
    `waiting for input; answer it with one of:\n  agentz answer ${id} red\n  agentz answer ${id} blue\n`,
  )
  t.equal(a.do('answer', id, 'red').status, 0)
  t.equal(await again.ended, 0)
  const parts = [
    '✔ completed',
    '> question Which?',
    '↻',
    '? Which? [red, blue]',
    '! answered: red',
    'the answer was red',
  ]
  const places = parts.map((part) => again.screen().indexOf(part))
  t.strictSame(
    places,
    [...places].sort((one, other) => one - other),
    again.screen().slice(-600),
  )
  t.notOk(places.includes(-1))
})
