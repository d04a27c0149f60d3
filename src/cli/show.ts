import { sessionLog } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { findSession } from '../session/find.js'
import type { Loose } from '../session/life.js'
import { readSession } from '../session/state.js'
import { type SessionView, sessionView } from '../session/view.js'
import { supervisorOf } from '../supervisor/choose.js'
import { readTrue, unitState } from '../supervisor/fleet.js'
import { placeOf } from '../supervisor/queue.js'
import type { UnitDetail } from '../supervisor/supervisor.js'
import { context, type Verb } from './context.js'
import { colourOf } from './ls.js'
import { answers, asked, notes } from './question.js'
import { age, columns, count, harmless, harmlessJson, indented, oneLine, paint, print, spelled } from './terminal.js'

interface Args {
  id: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'show <id>',
  describe: 'Show one session: status, cause, unit, files, open questions',
  build: (yargs) =>
    yargs.positional('id', {
      type: 'string',
      demandOption: true,
      describe: 'An id, a unique prefix, a title, or latest',
    }) as never,
  handle: async ({ id: text, json, how }) => {
    const { home, supervisor } = context()
    const id = findSession(home, text)
    const log = sessionLog(home, id)
    const last = readSession(home, id)
    const carrier = supervisorOf(home, supervisor, last)
    const unit = carrier.unitName(id)
    if (how) {
      await print([carrier.howToLook(id), `head -n 1 ${shellWords([log])} | jq .spec`, ''].join('\n'))
      return 0
    }
    const state = await readTrue(home, supervisor, id)
    const detail = await unitState(home, supervisor, id, state)
    const place = state.queuedAt === undefined ? undefined : await placeOf(home, supervisor, id)
    const view = {
      ...sessionView(state, { log, unit, place }),
      ...(detail ? { unitState: detail } : {}),
    }
    await print(json ? `${harmlessJson(JSON.stringify(view))}\n` : page(view, detail))
    return 0
  },
}

function page(view: SessionView, unit: UnitDetail | undefined): string {
  const { cause } = view
  const row = (name: string, value: string | undefined) =>
    value ? [`${paint(name.padEnd(10), 'dim')}${indented(harmless(value), 10)}`] : []
  const why =
    cause && [cause.result, cause.code, cause.status, cause.message].filter((part) => part !== undefined && part !== '')
  const lines = [
    `${paint(view.sessionId, 'bold')}  ${paint(view.status, colourOf[view.status], 'bold')}  ${oneLine(view.title, Math.max(20, columns() - view.status.length - 16))}`,
    ...row('cause', why ? harmless(why.join(', ')) : undefined),
    ...row('that is', view.advice),
    ...row('error', view.error ? harmless(view.error) : undefined),
    ...row('agent', [view.agentType, view.model, view.permissionMode].filter(Boolean).join('  ')),
    ...row('directory', harmless(view.workingDir)),
    ...row('created', `${view.createdAt}  (${age(view.createdAt)} ago)`),
    ...row('last', `${view.updatedAt}  (${age(view.updatedAt)} ago)`),
    ...row(
      'starts',
      view.epoch > 1 ? `${view.epoch}${view.restarts > 0 ? `, ${count(view.restarts, 'restart')}` : ''}` : undefined,
    ),
    ...row(
      'unit',
      `${view.unit}${unit ? `  ${unit.active} (${unit.sub})${unit.pid ? `  pid ${unit.pid}` : ''}${usage(unit)}` : '  not loaded'}`,
    ),
    ...row(
      'log',
      `${view.log}  (${view.offset} bytes, ${count(view.events, 'event')}${view.damaged ? `, ${count(view.damaged, 'damaged line')}` : ''})`,
    ),
    ...row('stalled', view.stalled === undefined ? undefined : `its agent has said nothing for ${view.stalled} s`),
    ...row('frozen', view.frozen ? `its processes are held still; agentz thaw ${view.sessionId}` : undefined),
    ...row('queued', view.place === undefined ? undefined : `place ${view.place}, since ${view.queuedAt}`),
    ...row('used', used(view)),
    ...row('budget', budgetText(view)),
    ...row('waiting', waiting(view)),
    ...row('native', view.nativeId),
    ...row('parent', view.parent),
    ...row('command', view.command ? oneLine(shellWords(view.command), 400) : undefined),
    ...row('prompt', oneLine(view.prompt, 400)),
    ...[...view.approvals, ...view.inputs].flatMap((request) => question(view.sessionId, request)),
  ]
  return `${lines.join('\n')}\n`
}

/** What is asked, and the lines that answer it; the page may be read when another question waits, so each names its own. */
function question(id: string, request: Loose): string[] {
  return [
    `${paint('asks'.padEnd(10), 'yellow')}${spelled(asked(request))}`,
    ...answers(id, request, true).map(([what, line]) => `${paint(what.padEnd(10), 'dim')}${line}`),
    ...notes(request).map((note) => `${' '.repeat(10)}${paint(note, 'dim')}`),
  ]
}

function used({ usage, activeMs, turns }: SessionView): string | undefined {
  const { input = 0, output = 0, cached = 0, costUsd } = usage ?? {}
  if (input + output === 0 && turns === 0) return undefined
  const cost = costUsd === undefined ? [] : [`$${costUsd.toFixed(4)}`]
  const tokens = input + output === 0 ? [] : [`${input} tokens in (${cached} cached)`, `${output} out`]
  return [...tokens, ...cost, count(turns, 'turn'), `${(activeMs / 1000).toFixed(1)} s of work`].join(', ')
}

/** A session that has ended takes what was not handed over when it is taken up again. */
const waiting = ({ queued }: SessionView): string | undefined =>
  queued === 0 ? undefined : `${count(queued, 'message')} that the agent has not taken yet`

function budgetText({ budget = {} }: SessionView): string {
  const { turns, cost, tokens, time } = budget
  return [
    ...(turns === undefined ? [] : [count(turns, 'turn')]),
    ...(tokens === undefined ? [] : [count(tokens, 'token')]),
    ...(cost === undefined ? [] : [`$${cost}`]),
    ...(time === undefined ? [] : [`${time} s of work`]),
  ].join(', ')
}

function usage({ memoryBytes, cpuSeconds, tasks }: UnitDetail): string {
  const parts = [
    ...(memoryBytes === undefined ? [] : [`${Math.round(memoryBytes / 1048576)} MB`]),
    ...(cpuSeconds === undefined ? [] : [`${cpuSeconds.toFixed(1)} s CPU`]),
    ...(tasks === undefined ? [] : [count(tasks, 'task')]),
  ]
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`
}
