/** What a daemon says besides its events, where its supervisor keeps that. */
import { existsSync, readFileSync } from 'node:fs'
import { launchdLog, plainLog } from '../../src/base/paths.js'
import { systemctl } from '../helpers/agentz.js'
import type { Talk } from '../helpers/fake-claude.js'
import type { SupervisorName } from './row.js'
import { unitOf } from './stage.js'

export function wordsOf(a: Talk, name: SupervisorName, id: string): string {
  // The manager of the tests has no journal.
  if (name === 'systemd') return systemctl('show', '-p', 'StatusText', unitOf(id))
  const file = (name === 'launchd' ? launchdLog : plainLog)(a.home, id)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
