/**
 * The rows of the README's survival table and the tests that prove them: a row without a test fails (table.test.ts), and so does a test
 * whose row says something else about where it holds.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isRoot } from '../helpers/home.js'
import { missing } from './needs.js'

export const supervisors = ['systemd', 'launchd', 'plain'] as const
export type SupervisorName = (typeof supervisors)[number]

export interface Row {
  readonly id: string
  /** The test file that the row links to. */
  readonly file: string
  /** `✔`, `once`, or why it does not apply. */
  readonly cells: Record<SupervisorName, string>
}

const readme = new URL('../../README.md', import.meta.url)

/** The table whose head begins with "| fault |"; its last cell links to the test: [`id`](test/survival/x.test.ts). */
export function readRows(text = readFileSync(readme, 'utf8')): Row[] {
  const lines = text.split('\n')
  const head = lines.findIndex((line) => line.startsWith('| fault |'))
  if (head < 0) throw new Error('README.md has no table that begins with "| fault |"')
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'))
  return lines.slice(head + 2, end).map((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    const [, id = '', file = ''] =
      /^\[`([a-z-]+)`\]\((test\/survival\/[a-z-]+\.test\.ts)\)$/.exec(cells.at(-2) ?? '') ?? []
    if (cells.length !== 10 || id === '') throw new Error(`not a row of the survival table: ${line}`)
    const [systemd = '', launchd = '', plain = ''] = cells.slice(5, 8)
    return { id, file, cells: { systemd, launchd, plain } }
  })
}

/** What a row's test needs that not every machine has. */
export type Need = 'root' | 'strace' | 'loop' | 'userns' | 'faketime'

type Proof = (t: Test, supervisor: SupervisorName) => Promise<void>

interface Claim {
  readonly needs?: readonly Need[]
  /** Where the fault meets no supervisor: proved once. */
  readonly once?: Proof
  /** Where it meets one: proved under each of these. */
  readonly under?: readonly SupervisorName[]
  readonly proof?: Proof
}

/** The test of one row. */
export function survives(id: string, { needs = [], once, under = [], proof }: Claim): void {
  const row = readRows().find((each) => each.id === id)
  const cells = Object.fromEntries(supervisors.map((name) => [name, row?.cells[name] ?? '']))
  const absent = needs.filter((need) => (need === 'root' ? !isRoot : missing(need)))
  const skip = absent.length > 0 ? `needs ${absent.join(' and ')}` : false
  t.test(`survives ${id}: as the README says`, async (t) => {
    t.ok(row, 'it has a row in the survival table')
    for (const name of supervisors) {
      if (once !== undefined) t.equal(cells[name], 'once', `${name}: no supervisor takes part`)
      else if (under.includes(name)) t.equal(cells[name], '✔', `${name}: proved here`)
      else t.match(cells[name], /^n\/a: \w/, `${name}: says why it does not apply`)
    }
  })
  if (once !== undefined) t.test(`survives ${id}`, { skip }, (t) => once(t, 'systemd'))
  for (const name of under) {
    // A Mac has launchd itself, which the other systems play.
    const isAbsent = name === 'systemd' && process.platform === 'darwin' ? 'needs systemd' : false
    t.test(`survives ${id}: ${name}`, { skip: skip || isAbsent }, (t) => proof!(t, name))
  }
}
