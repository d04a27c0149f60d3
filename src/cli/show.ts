import { sessionLog } from '../base/paths.js'
import { findSession } from '../session/find.js'
import type { Loose } from '../session/life.js'
import { type SessionView, sessionView } from '../session/view.js'
import { readTrue, unitState } from '../supervisor/fleet.js'
import type { UnitDetail } from '../supervisor/supervisor.js'
import { unitName } from '../supervisor/systemd.js'
import { context, type Verb } from './context.js'
import { colourOf } from './ls.js'
import { age, harmless, oneLine, paint, print, shellWords, spelled } from './terminal.js'

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
    const unit = unitName(id)
    if (how) {
      await print(
        [
          shellWords(['systemctl', '--user', 'status', unit]),
          shellWords(['journalctl', '--user', '-u', unit]),
          `head -n 1 ${shellWords([log])} | jq .spec`,
          '',
        ].join('\n'),
      )
      return 0
    }
    const state = await readTrue(home, supervisor, id)
    const detail = await unitState(supervisor, id, state)
    const view = { ...sessionView(state, { log, unit }), ...(detail ? { unitState: detail } : {}) }
    await print(json ? `${JSON.stringify(view)}\n` : page(view, detail))
    return 0
  },
}

function page(view: SessionView, unit: UnitDetail | undefined): string {
  const { cause } = view
  const row = (name: string, value: string | undefined) =>
    value ? [`${paint(name.padEnd(10), 'dim')}${harmless(value)}`] : []
  const why =
    cause && [cause.result, cause.code, cause.status, cause.message].filter((part) => part !== undefined && part !== '')
  const lines = [
    `${paint(view.sessionId, 'bold')}  ${paint(view.status, colourOf[view.status], 'bold')}  ${oneLine(view.title, 100)}`,
    ...row('cause', why ? harmless(why.join(', ')) : undefined),
    ...row('error', view.error ? harmless(view.error) : undefined),
    ...row('agent', [view.agentType, view.model, view.permissionMode].filter(Boolean).join('  ')),
    ...row('directory', harmless(view.workingDir)),
    ...row('created', `${view.createdAt}  (${age(view.createdAt)} ago)`),
    ...row('last', `${view.updatedAt}  (${age(view.updatedAt)} ago)`),
    ...row('starts', view.epoch > 1 ? `${view.epoch} (${view.restarts} restarts)` : undefined),
    ...row(
      'unit',
      `${view.unit}${unit ? `  ${unit.active} (${unit.sub})${unit.pid ? `  pid ${unit.pid}` : ''}${usage(unit)}` : '  not loaded'}`,
    ),
    ...row(
      'log',
      `${view.log}  (${view.offset} bytes, ${view.events} events${view.damaged ? `, ${view.damaged} damaged lines` : ''})`,
    ),
    ...row('parent', view.parent),
    ...row('command', view.command ? oneLine(shellWords(view.command), 400) : undefined),
    ...row('prompt', oneLine(view.prompt, 400)),
    ...view.approvals.flatMap((request) => question(view.sessionId, request)),

    ...view.inputs.flatMap((each) => row('asks', `${each.requestId}  ${oneLine(String(each.question), 200)}`)),
  ]
  return `${lines.join('\n')}\n`
}

/** What is asked, and the line that answers it. */
function question(id: string, { requestId, tool, input }: Loose): string[] {
  const answer = JSON.stringify({ type: 'approval_response', requestId, decision: 'allow' })
  return [
    `${paint('asks'.padEnd(10), 'yellow')}${spelled(`${tool} ${JSON.stringify(input)}`)}`,
    `${paint('answer'.padEnd(10), 'dim')}${spelled(shellWords(['agentz', 'append', id, answer]))}   ${paint('(or allow_always, deny)', 'dim')}`,
  ]
}

function usage({ memoryBytes, cpuSeconds, tasks }: UnitDetail): string {
  const parts = [
    ...(memoryBytes === undefined ? [] : [`${Math.round(memoryBytes / 1048576)} MB`]),
    ...(cpuSeconds === undefined ? [] : [`${cpuSeconds.toFixed(1)} s CPU`]),
    ...(tasks === undefined ? [] : [`${tasks} tasks`]),
  ]
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`
}
