/** Where the installed programs and unit files are. Units run dist/ only. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentzError, reason } from './errors.js'

function packageRoot(): string {
  const here = dirname(realpathSync(fileURLToPath(import.meta.url)))
  for (let directory = here; directory !== dirname(directory); directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory
  }
  // Somebody has taken dist/ out of its package; what is missing there is named when it is looked for.
  return dirname(here)
}

const root = packageRoot()

export const programs = {
  /** The real path: a version manager's shim is not there for a unit. */
  node: realpathSync(process.execPath),
  cli: join(root, 'dist', 'cli.cjs'),
  daemon: join(root, 'dist', 'daemon.cjs'),
  reaper: join(root, 'dist', 'reap.cjs'),
  /** The agent of our own, for models behind an API; it speaks ACP on its standard streams. */
  chat: join(root, 'dist', 'chat.cjs'),
  units: join(root, 'units'),
  /** Runs daemon and reaper where nothing else does both. */
  keeper: join(root, 'units', 'keep-session.sh'),
}

/** What a browser gets. */
export const viewer = join(root, 'dist', 'viewer')

export const manifest = join(root, 'package.json')

/** @throws INTERNAL where the programs stand outside of their package */
export function version(): string {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')).version
  } catch (error) {
    const hint = 'Its programs need what stands beside them: install the whole package.'
    throw new AgentzError('INTERNAL', `cannot read the version of agentz: ${reason(error)}`, { hint, cause: error })
  }
}
