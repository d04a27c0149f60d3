/** Where a path really leads. Permission goes by that, so every link on the way is followed before anything is asked or done. */
import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { errno } from '../../../base/errors.js'

/** As many as the kernel follows. */
const MOST_LINKS = 40
/** What stands there is run by git, sooner or later. */
const GIT = /(^|\/)\.git(\/|$)/

export class Place {
  /** Real and absolute. */
  readonly cwd: string

  /** AGENTZ_HOME, real: keys stand there, and the files in which people answer. */
  readonly home: string | undefined

  /** @throws ENOENT if there is no such directory */
  constructor(cwd: string, home?: string) {
    this.cwd = realpathSync(cwd)
    this.home = home === undefined ? undefined : realPath(resolve(home), MOST_LINKS)
  }

  /** The real path of a path that the model names; what does not exist yet has one, too. */
  resolve(path: string): string {
    if (path.includes('\0')) throw new Error('A path cannot hold a zero byte')
    return realPath(resolve(this.cwd, path), MOST_LINKS)
  }

  isInside(real: string): boolean {
    return isWithin(this.cwd, real)
  }

  /** For an action: whether it needs a look of its own, whatever is allowed in general. */
  isGuarded(kind: 'read' | 'write', real: string): boolean {
    if (!this.isInside(real) || (this.home !== undefined && isWithin(this.home, real))) return true
    return kind === 'write' && GIT.test(relative(this.cwd, real))
  }

  /** How to name it to people: short where it is inside. */
  show(real: string): string {
    if (!this.isInside(real)) return `${real} (outside of the working directory)`
    return relative(this.cwd, real) || '.'
  }
}

const isWithin = (directory: string, real: string): boolean =>
  real === directory || real.startsWith(directory === sep ? sep : directory + sep)

function realPath(path: string, linksLeft: number): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
  }
  const target = linkTarget(path)
  if (target !== undefined) {
    if (linksLeft === 0) throw new Error(`${path} leads through too many links`)
    return realPath(resolve(dirname(path), target), linksLeft - 1)
  }
  return join(realPath(dirname(path), linksLeft), basename(path))
}

/** Where a link leads that leads nowhere: writing to it would make the file there. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    // EINVAL: it is no link. ENOENT: there is nothing.
    if (errno(error) === 'EINVAL' || errno(error) === 'ENOENT') return undefined
    throw error
  }
}
