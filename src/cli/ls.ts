import type { Home } from '../base/paths.js'
import type { Head } from '../session/rows.js'
import { isLive, needsAnswer, type Status, statuses } from '../session/status.js'
import { type Fleet, readFleet } from '../supervisor/fleet.js'
import { context, type Verb } from './context.js'
import { age, type Colour, columns, harmless, oneLine, paint, print, say } from './terminal.js'

interface Args {
  json?: boolean
  how?: boolean
  all?: boolean
  quiet?: boolean
  status?: string[]
  agent?: string
  label?: string[]
}

/** A title narrower than this tells nothing. */
const TITLE_LEAST = 24
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
      .option('quiet', { alias: 'q', type: 'boolean', describe: 'Print ids only' })
      .option('status', { type: 'string', array: true, choices: statuses, describe: 'Only sessions of this status' })
      .option('agent', { type: 'string', describe: 'Only sessions of this agent' })
      .option('label', {
        alias: 'l',
        type: 'string',
        array: true,
        describe: 'Only sessions with the label KEY=VALUE',
      }) as never,
  handle: async (args) => {
    const { home, supervisor } = context()
    if (args.how) return how(home)
    const fleet = await readFleet(home, supervisor)
    const { damaged } = fleet.registry
    if (fleet.unasked) say(`agentz: ${fleet.unasked.message}; processes were looked at instead`)
    if (damaged > 0) say(`agentz: ${damaged} damaged lines in ${home.registry} were left out`)
    const ids = sorted(fleet).filter((id) => matches(fleet, id, args))
    if (args.quiet) await print(ids.map((id) => `${id}\n`).join(''))
    else if (args.json) await print(ids.map((id) => `${fleet.text(id)}\n`).join(''))
    else if (ids.length === 0)
      say(fleet.ids.length === 0 ? 'no sessions yet; start one: agentz run "your prompt"' : 'no session matches')
    else await table(ids.map(fleet.head), args.all === true)
    return 0
  },
}

function matches(fleet: Fleet, id: string, { status, agent, label }: Args): boolean {
  if (status !== undefined && !status.includes(fleet.status(id))) return false
  if (agent === undefined && label === undefined) return true
  const row = fleet.row(id)
  if (agent !== undefined && row.agentType !== agent) return false
  return (label ?? []).every((pair) => {
    const at = pair.indexOf('=')
    return at < 0 ? row.labels?.[pair] !== undefined : row.labels?.[pair.slice(0, at)] === pair.slice(at + 1)
  })
}

/** What needs an answer, then what lives, then what is finished; the newest first in each. */
function sorted(fleet: Fleet): string[] {
  const groups: [string[], string[], string[]] = [[], [], []]
  for (const id of fleet.ids) {
    const status = fleet.status(id)
    groups[needsAnswer(status) ? 0 : isLive(status) ? 1 : 2].push(id)
  }
  return groups.flatMap((group) => group.reverse())
}

async function table(rows: Head[], all: boolean): Promise<void> {
  const terminal = process.stdout.isTTY === true
  const finished = rows.filter((row) => !isLive(row.status)).length
  const hidden = terminal && !all ? Math.max(0, finished - FINISHED_SHOWN) : 0
  const shown = hidden > 0 ? rows.slice(0, rows.length - hidden) : rows
  if (!terminal) {
    // For programs: tabs, and times that can be sorted.
    const line = (row: Head) =>
      [row.sessionId, row.status, row.agentType, row.createdAt, row.updatedAt, because(row), row.title].join('\t')
    await print(shown.map((row) => `${harmless(line(row)).replaceAll('\n', ' ')}\n`).join(''))
    return
  }
  const now = Date.now()
  const cells = shown.map((row) =>
    [row.sessionId, row.status, row.agentType, age(row.createdAt, now), age(row.updatedAt, now), because(row)].map(
      harmless,
    ),
  )
  const heads = ['ID', 'STATUS', 'AGENT', 'AGE', 'LAST', 'CAUSE']
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

function because({ cause, status }: Head): string {
  if (cause === undefined || status === 'cancelled' || status === 'completed') return ''
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
