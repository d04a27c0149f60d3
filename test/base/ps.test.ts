/** What ps of Darwin prints, in its own columns; and the ps of this machine, which has the first two lists too. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { argumentsOf, processes, statOf } from '../../src/base/proc.js'
import { parseArguments, parseProcesses, whoCarries } from '../../src/base/ps.js'

t.test('processes: number, parent, state, start', async (t) => {
  const text = `    1     0 Ss   Thu Oct 24 15:48:01 2019    \n  593     1 S<   Fri Nov  1 09:02:33 2019    \n61288   593 Z+   Fri Nov  1 09:02:34 2019    \n\nnonsense\n`
  t.strictSame(parseProcesses(text), [
    { pid: 1, parent: 0, state: 'S', start: 'Thu Oct 24 15:48:01 2019' },
    { pid: 593, parent: 1, state: 'S', start: 'Fri Nov  1 09:02:33 2019' },
    { pid: 61288, parent: 593, state: 'Z', start: 'Fri Nov  1 09:02:34 2019' },
  ])
})

t.test('who has the mark in the environment, and not among the arguments', async (t) => {
  const mark = 'AGENTZ_SESSION_ID=0123456789ab'
  const args = ['  501 node tool.js', '  502 env', `  503 grep ${mark} file`, '  504 node other.js', '  505 gone']
  const env = [
    `  501 node tool.js HOME=/Users/ada ${mark} TERM=xterm`,
    `  502 env ${mark}0`,
    `  503 grep ${mark} file HOME=/Users/ada`,
    '  504 sh -c changed between both questions',
    `  506 new ${mark}`,
  ]
  t.strictSame(whoCarries(mark, parseArguments(args.join('\n')), parseArguments(env.join('\n'))), [501])
})

t.test('the ps of this machine says the same as its /proc', async (t) => {
  const ps = (...words: string[]) => execFileSync('ps', words, { encoding: 'utf8', env: { LC_ALL: 'C' } })
  const told = parseProcesses(ps('-axo', 'pid=,ppid=,stat=,lstart='))
  const self = told.find(({ pid }) => pid === process.pid)
  t.match(self, { parent: process.ppid, start: /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/ })
  t.ok(processes().some(({ pid }) => pid === process.pid))
  t.equal(statOf(process.pid)?.parent, process.ppid)
  const words = argumentsOf(process.pid).filter((word) => word !== '')
  t.equal(parseArguments(ps('-axwwo', 'pid=,args=')).get(process.pid), words.join(' '))
})
