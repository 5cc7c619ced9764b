/** Writes that fail, on real small file systems where this user may mount them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { disk } from '#platform'
import { writeFileAtomic } from './atomic-write.ts'
import type { WriteError } from './write-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-write-'))
const mounted: string[] = []

/** Mounts memory as a file system, within a folder of its own. */
function mount(name: string, options: string): string | undefined {
  const at = join(folder, name)
  mkdirSync(at)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', at]).status !== 0) return undefined
  mounted.push(at)
  return at
}

const small = mount('small', 'size=64k')
const fewFiles = mount('few-files', 'size=1m,nr_inodes=3')
const readOnly = mount('read-only', 'size=64k')
if (!small) console.log('Full disks are not tested: this user may not mount a file system.')

beforeAll(() => {
  if (readOnly) spawnSync('mount', ['-o', 'remount,ro', readOnly])
})
afterAll(() => {
  for (const at of mounted) spawnSync('umount', [at])
  rmSync(folder, { recursive: true })
})

const failure = (path: string, bytes: number): Promise<WriteError> =>
  writeFileAtomic(path, [new Uint8Array(bytes)]).then(
    () => expect.unreachable('the write did not fail'),
    error => error,
  )

describe.skipIf(!small)('writeFileAtomic', () => {
  test('a full disk: names the file and what it needs, keeps the file before, leaves nothing beside it', async () => {
    const path = join(small as string, 'state')
    await writeFileAtomic(path, 'the one before')
    const error = await failure(path, 100_000)
    expect(error.message.replace(/[\d,]+ are free/, 'N are free')).toBe(
      `${path} cannot be written: the disk is full: 100,000 bytes are needed, N are free. Free some space.`,
    )
    expect(error).toMatchObject({ name: 'WriteError', code: 'ENOSPC', path })
    expect(readdirSync(small as string)).toEqual(['state'])
    expect(readFileSync(path, 'utf8')).toBe('the one before')
  })

  test('no inode left', async () => {
    const path = join(fewFiles as string, 'state')
    await writeFileAtomic(path, 'the one before')
    writeFileSync(join(fewFiles as string, 'another'), '')
    expect((await failure(path, 10)).message).toBe(
      `${path} cannot be written: the disk has no inode left for another file. Remove some files.`,
    )
    expect(readFileSync(path, 'utf8')).toBe('the one before')
  })

  test('a read-only file system', async () => {
    const path = join(readOnly as string, 'state')
    expect((await failure(path, 10)).message).toBe(
      `${path} cannot be written: the file system is read-only. Choose another folder.`,
    )
  })
})

test('another failure is the file system’s own error', async () => {
  expect(await failure(join(folder, 'none', 'state'), 10)).toMatchObject({ code: 'ENOENT' })
})

test('removeLeftovers removes what a killed writer left, and nothing else', async () => {
  const at = join(folder, 'leftovers')
  mkdirSync(at)
  const others = ['model.safetensors', 'mine.tmp', 'a.b.tmp']
  for (const name of [...others, `model.safetensors.${crypto.randomUUID()}.tmp`]) writeFileSync(join(at, name), '')
  mkdirSync(join(at, `best.${crypto.randomUUID()}.tmp`, 'inner'), { recursive: true })
  await disk.removeLeftovers(at)
  expect(readdirSync(at).sort()).toEqual(others.sort())
})
