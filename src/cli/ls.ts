import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import type { Row } from '../session/registry.js'
import type { Head } from '../session/rows.js'
import { isLive, needsAnswer, type Status, statuses } from '../session/status.js'
import { hadAgent, isLabel, isWanted } from '../supervisor/choice.js'
import { type Fleet, readFleet } from '../supervisor/fleet.js'
import { context, type Verb } from './context.js'
import { age, type Colour, columns, count, harmless, harmlessJson, oneLine, paint, print, say } from './terminal.js'

interface Args {
  json?: boolean
  how?: boolean
  all?: boolean
  wide?: boolean
  quiet?: boolean
  status?: string[]
  agent?: string
  label?: string[]
}

/** A title narrower than this tells nothing. */
const TITLE_LEAST = 24
/** What a file says a cause is called may be of any length. */
const CELL_MOST = 40
/** On a terminal, this many finished sessions are listed without -a. */
const FINISHED_SHOWN = 20

export const colourOf: Record<Status, Colour> = {
  pending: 'blue',
  running: 'cyan',
  waiting_approval: 'yellow',
  waiting_input: 'yellow',
  idle: 'blue',
  completed: 'green',
  failed: 'red',
  cancelled: 'magenta',
  interrupted: 'red',
}

export const verb: Verb<Args> = {
  command: 'ls',
  describe: 'List sessions; those that need an answer come first',
  build: (yargs) =>
    yargs
      .option('all', {
        alias: 'a',
        type: 'boolean',
        describe: 'On a terminal: all finished ones too, not the newest 20',
      })
      .option('wide', { alias: 'w', type: 'boolean', describe: 'With tokens and cost, and their sums by agent' })
      .option('quiet', { alias: 'q', type: 'boolean', describe: 'Print ids only' })
      .option('status', {
        type: 'string',
        array: true,
        describe: `Only sessions of this status, or these: ${statuses.join(',')}`,
      })
      .option('agent', { type: 'string', describe: 'Only sessions of this agent' })
      .option('label', {
        alias: 'l',
        type: 'string',
        array: true,
        describe: 'Only sessions with the label KEY=VALUE, or KEY of any value',
      }) as never,
  handle: async (args) => {
    const { home, config, supervisor } = context()
    if (args.how) return how(home)
    for (const name of ['status', 'label'] as const) if (args[name]?.length === 0) throw noValue(name)
    const wanted = { ...args, status: statusesOf(args.status) }
    for (const label of args.label ?? []) if (!isLabel(label)) throw noLabel(label)
    const fleet = await readFleet(home, supervisor)
    const { damaged } = fleet.registry
    if (fleet.unasked) say(`agentz: ${fleet.unasked.message}; processes were looked at instead`)
    if (damaged > 0) say(`agentz: ${damaged} damaged lines in ${home.registry} were left out`)
    const ids = sorted(fleet).filter((id) => isWanted(fleet, id, wanted))
    if (ids.length === 0 && args.agent !== undefined && !hadAgent(fleet, args.agent)) {
      const { knownAgent } = await import('../agents/agents.js')
      knownAgent(args.agent, config)
    }
    if (args.quiet) await print(ids.map((id) => `${id}\n`).join(''))
    else if (args.json) await print(ids.map((id) => `${harmlessJson(fleet.text(id))}\n`).join(''))
    else if (ids.length === 0)
      say(fleet.ids.length === 0 ? 'no sessions yet; start one: agentz run "your prompt"' : 'no session matches')
    else await table(ids.map(fleet.head), args, args.wide ? (id) => fleet.row(id) : undefined)
    if (args.wide && !args.json && !args.quiet) say(sums(ids.map(fleet.row)))
    return 0
  },
}

/** As over HTTP: several by commas too. @throws BAD_INPUT */
function statusesOf(given: readonly string[] | undefined): string[] | undefined {
  const wanted = given?.flatMap((each) => each.split(','))
  const odd = wanted?.find((each) => !(statuses as readonly string[]).includes(each))
  if (odd === undefined) return wanted
  throw new AgentzError('BAD_INPUT', `--status: ${JSON.stringify(odd.slice(0, 80))} is not a status`, {
    hint: `Statuses: ${statuses.join(', ')}; several with commas.`,
  })
}

/** As where the variable behind it was empty: all sessions would be shown for those that were meant. */
const noValue = (name: string): AgentzError =>
  new AgentzError('USAGE', `--${name} needs a value`, { hint: 'See `agentz ls --help`.' })

const noLabel = (text: string): AgentzError =>
  new AgentzError('BAD_INPUT', `--label: ${JSON.stringify(text.slice(0, 80))} is not KEY=VALUE or KEY`)

/** What needs an answer, then what lives, then what is finished; the newest first in each. */
function sorted(fleet: Fleet): string[] {
  const groups: [string[], string[], string[]] = [[], [], []]
  for (const id of fleet.ids) {
    const status = fleet.status(id)
    groups[needsAnswer(status) ? 0 : isLive(status) ? 1 : 2].push(id)
  }
  return groups.flatMap((group) => group.reverse())
}

async function table(rows: Head[], { all }: Args, whole?: (id: string) => Row): Promise<void> {
  const terminal = process.stdout.isTTY === true
  const finished = rows.filter((row) => !isLive(row.status)).length
  const hidden = terminal && !all ? Math.max(0, finished - FINISHED_SHOWN) : 0
  const shown = hidden > 0 ? rows.slice(0, rows.length - hidden) : rows
  if (!terminal) {
    // For programs: tabs, and times that can be sorted.
    const line = (row: Head) =>
      [
        ...[row.sessionId, row.status, row.agentType, row.createdAt, row.updatedAt, because(row)],
        ...(whole === undefined ? [] : spent(whole(row.sessionId))),
        row.title,
      ]
        .map((cell) => harmless(cell).replace(/\s/g, ' '))
        .join('\t')
    await print(shown.map((row) => `${line(row)}\n`).join(''))
    return
  }
  const now = Date.now()
  const cells = shown.map((row) =>
    [
      ...[row.sessionId, row.status, row.agentType, age(row.createdAt, now), age(row.updatedAt, now), because(row)],
      ...(whole === undefined ? [] : spent(whole(row.sessionId))),
    ].map((cell) => oneLine(cell, CELL_MOST)),
  )
  const heads = ['ID', 'STATUS', 'AGENT', 'AGE', 'LAST', 'CAUSE', ...(whole === undefined ? [] : ['TOKENS', 'COST'])]
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((line) => line[at]?.length ?? 0)))
  const room = () => columns() - widths.reduce((sum, width) => sum + (width < 0 ? 0 : width + 2), 0)
  // Nobody needs the column of causes while all is well; a narrow terminal goes without the others first.
  for (const [at, dispensable] of [[5, cells.every((line) => line[5] === '')], [4], [2], [3], [5]] as const) {
    if (dispensable ?? room() < TITLE_LEAST) widths[at] = -1
  }
  const left = Math.max(1, room())
  const layout = (line: readonly string[]) =>
    line.map((cell, at) => (widths[at]! < 0 ? '' : `${cell.padEnd(widths[at]!)}  `))
  const lines = shown.map((row, index) => {
    const [id, status, ...more] = layout(cells[index]!)
    const bold = needsAnswer(row.status) ? (['bold'] as const) : []
    return `${paint(id!, ...bold)}${paint(status!, colourOf[row.status], ...bold)}${paint(more.join(''), 'dim')}${oneLine(row.title, left)}`
  })
  await print(`${paint([...layout(heads), 'TITLE'].join('').trimEnd(), 'dim')}\n${lines.join('\n')}\n`)
  if (hidden > 0) say(paint(`and ${hidden} finished before; agentz ls -a lists them`, 'dim'))
}

/** Tokens in and out, and dollars; empty where the agent does not tell. */
function spent({ usage, metadata }: Row): [string, string] {
  const { input = 0, output = 0 } = metadata?.usage ?? usage ?? {}
  const cost = metadata?.costUsd ?? usage?.costUsd
  return [input + output === 0 ? '' : String(input + output), cost === undefined ? '' : `$${cost.toFixed(4)}`]
}

function sums(rows: Row[]): string {
  const byAgent = new Map<string, { sessions: number; tokens: number; cost: number }>()
  for (const row of rows) {
    const [tokens, cost] = spent(row)
    const sum = byAgent.get(row.agentType) ?? { sessions: 0, tokens: 0, cost: 0 }
    sum.sessions++
    sum.tokens += Number(tokens)
    sum.cost += Number(cost.slice(1))
    byAgent.set(row.agentType, sum)
  }
  return [...byAgent]
    .map(([agent, { sessions, tokens, cost }]) =>
      harmless(`${agent}: ${count(sessions, 'session')}, ${count(tokens, 'token')}, $${cost.toFixed(4)}`),
    )
    .join('\n')
}

function because({ cause, status, stalled, place, frozen }: Head): string {
  if (frozen && isLive(status)) return 'frozen'
  if (place !== undefined && status === 'pending') return `queued ${place}`
  if (stalled !== undefined && isLive(status)) return `stalled ${stalled}s`
  if (cause === undefined || cause.result === status) return ''
  return `${cause.result}${cause.status === undefined ? '' : ` ${cause.status}`}`
}

async function how(home: Home): Promise<number> {
  await print(
    [
      "systemctl --user list-units --all 'agentz-session-*'",
      `grep '^{' ${home.registry} | jq -s 'group_by(.sessionId) | map({sessionId: .[0].sessionId, title: .[0].title, last: (map(.type | select(startswith("session_")))[-1])})[]' -c`,
      '',
    ].join('\n'),
  )
  return 0
}
