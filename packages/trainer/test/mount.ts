/** Small file systems in memory, for tests of full disks. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Over a folder, until it is unmounted. @returns whether this user may */
export const mount = (folder: string, size: number): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]).status === 0

export const unmount = (folder: string): boolean => spawnSync('umount', [folder]).status === 0

function tryToMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-mount-'))
  const done = mount(folder, 4096) && unmount(folder)
  rmdirSync(folder)
  return done
}

export const mayMount: boolean = tryToMount()
if (!mayMount) console.log('Full disks are not tested: this user may not mount a file system.')
