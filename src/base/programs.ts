/** Where the installed programs and unit files are. Units run dist/ only. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function packageRoot(): string {
  let directory = dirname(realpathSync(fileURLToPath(import.meta.url)))
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
  return directory
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

export const version = (): string => JSON.parse(readFileSync(manifest, 'utf8')).version
