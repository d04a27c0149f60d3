/** What `agentz install` adds to the unit files of ours: which AGENTZ_HOME, and which programs. */
import { join } from 'node:path'
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { programs } from '../base/programs.js'
import { run } from './exec.js'

/** What a drop-in reads: quoted, and neither $ nor % mean anything. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`

/** @throws BAD_INPUT */
export function dropIn(home: Home, where: Pick<typeof programs, 'node' | 'cli'> = programs): string {
  if (/[\n\r]/.test(home.root))
    throw new AgentzError('BAD_INPUT', 'AGENTZ_HOME holds the end of a line, which no unit can')
  const variables = { AGENTZ_HOME: home.root, AGENTZ_NODE: where.node, AGENTZ_CLI: where.cli }
  const lines = Object.entries(variables).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  return `[Service]\n${lines.join('')}`
}

/** The line of a drop-in that says which AGENTZ_HOME. */
export const ownLine = (home: Home): string => `${dropIn(home).split('\n')[1]}\n`

/** Where this manager looks for the units of a person: it may have another HOME than we have. */
export async function dropInPath(unit: string): Promise<string> {
  const text = await run(['systemctl', '--user', 'show', '--property=UnitPath', '--value'], 'ask for the unit path')
  const own = text
    .trim()
    .split(' ')
    .find((path) => path.endsWith('/systemd/user') && !/^\/(etc|run|usr)\//.test(path))
  if (own === undefined)
    throw new AgentzError('UNIT_FAILED', `the manager has no directory for units of one's own: ${text.trim()}`)
  return join(own, `${unit}.d`, 'home.conf')
}
