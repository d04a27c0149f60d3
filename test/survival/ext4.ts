/** An ext4 in a file, with what becomes of real ones: they turn read-only after an error, and the power goes off. Needs root and loop devices. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { tempDir } from '../helpers/home.js'
import { SmallDisk } from './soak/disk.js'

const SIZE = '24M'
/** EXT4_IOC_SHUTDOWN without a flush of the journal: what was not synced by now is lost. */
const shutdown = 'open my $f, "<", $ARGV[0] or die $!; my $how = pack "L", 2; ioctl $f, 0x8004587d, $how or die $!'

const mountImage = (image: string, path: string) => execFileSync('mount', ['-o', 'loop,errors=remount-ro', image, path])

export class Ext4 extends SmallDisk {
  #image: string

  constructor(t: Test) {
    const image = join(tempDir(t), 'image')
    super(t, (path) => {
      execFileSync('truncate', ['-s', SIZE, image])
      execFileSync('mkfs.ext4', ['-q', '-m', '0', image])
      mountImage(image, path)
    })
    this.#image = image
  }

  remount(how: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${how}`, this.path])
  }

  /** As after an error of the device: the file system is read-only from now on, also for those who have files open. */
  turnReadOnly(): void {
    const device = execFileSync('findmnt', ['-no', 'SOURCE', this.path], { encoding: 'utf8' }).trim()
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, 'x')
  }

  cutPower(): void {
    execFileSync('perl', ['-e', shutdown, this.path])
  }

  /**
   * What a machine does when it starts again: checks what is on the device, and mounts it. A copy of the device, since other mount
   * namespaces may hold the old one.
   */
  startAgain(): void {
    const copy = `${this.#image}+`
    copyFileSync(this.#image, copy)
    execFileSync('umount', ['--lazy', this.path])
    // Its exit status is 1 where it has mended something.
    execFileSync('sh', ['-c', 'e2fsck -fy "$0" || [ $? = 1 ]', copy], { stdio: 'ignore' })
    mountImage(copy, this.path)
    this.#image = copy
  }
}
