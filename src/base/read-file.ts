/** Small files of a person's own, read whole: only regular ones, since a pipe or a device in their place would hold us for ever. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** @throws as the file system does, and where `path` is no regular file (a link to one is fine) */
export function readRegularFile(path: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file')
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}
