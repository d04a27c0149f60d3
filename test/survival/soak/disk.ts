/** A small file system of its own that can be filled to the last byte and freed again; needs root. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { errno } from '../../../src/base/errors.js'
import { isRoot, tempDir } from '../../helpers/home.js'

const CHUNK = Buffer.alloc(256 * 1024)

const tmpfs = (path: string) => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'none', path])
}

export class SmallDisk {
  readonly path: string
  readonly #filler: string
  readonly canFill = isRoot

  /** @param mount puts a file system at a path */
  constructor(t: Test, mount: (path: string) => void = tmpfs) {
    this.path = join(tempDir(t), 'disk')
    this.#filler = join(this.path, 'filler')
    mkdirSync(this.path, { mode: 0o700 })
    if (!this.canFill) return
    mount(this.path)
    t.teardown(() => void spawnSync('umount', ['--lazy', this.path]))
  }

  fill(): void {
    const fd = openSync(this.#filler, 'a')
    try {
      for (let chunk = CHUNK; chunk.length > 0; ) {
        try {
          if (writeSync(fd, chunk) < chunk.length) chunk = chunk.subarray(0, chunk.length >> 1)
        } catch (error) {
          if (errno(error) !== 'ENOSPC') throw error
          chunk = chunk.subarray(0, chunk.length >> 1)
        }
      }
    } finally {
      closeSync(fd)
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true })
  }
}
