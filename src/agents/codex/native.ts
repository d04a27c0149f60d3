/** The program itself, where npm has put a script in front of it: on Node 20 the script stays, with 41 MB, and only waits. */
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findProgram } from '../program.js'

const targets: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
}

/** What to start as `codex`: the path of the program, or the name where nothing better is found. */
export function nativeProgram(path: string | undefined, workingDir: string): string {
  const found = findProgram('codex', path, workingDir)
  if (found === undefined) return 'codex'
  const script = realpathSync(found)
  if (!script.endsWith(join('@openai', 'codex', 'bin', 'codex.js'))) return 'codex'
  const platform = `${process.platform}-${process.arch}`
  const program = join(packageOf(script, platform), 'vendor', targets[platform] ?? '', 'bin', 'codex')
  return existsSync(program) ? program : 'codex'
}

function packageOf(script: string, platform: string): string {
  try {
    return dirname(createRequire(script).resolve(`@openai/codex-${platform}/package.json`))
  } catch {
    // Packages of another make keep the program beside the script.
    return dirname(dirname(script))
  }
}
