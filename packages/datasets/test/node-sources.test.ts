/** The built package in plain Node: images of one's own, decoded, broken ones left out, here and in a worker. */
import { beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'

const root = join(import.meta.dir, '..')
const fixtures = join(root, 'test/fixtures/decode')
const folder = temporaryFolder()

beforeAll(() => {
  for (const name of [
    'grey.jpg',
    'cmyk.jpg',
    'alpha.png',
    'lossy.webp',
    'colour.avif',
    'transparent.gif',
    'colour.tif',
  ]) {
    mkdirSync(join(folder, 'train', name.slice(0, 1)), { recursive: true })
    cpSync(join(fixtures, name), join(folder, 'train', name.slice(0, 1), name))
  }
  writeFileSync(join(folder, 'train/g/cut.jpg'), readFileSync(join(fixtures, 'grey.jpg')).subarray(0, 100))
  mkdirSync(join(folder, 'test/a'), { recursive: true })
  writeFileSync(join(folder, 'list.csv'), 'path,label\n"train/g/grey.jpg",g\n')
})

/** Prints what the batches hold. */
const program = (entry: string): string => `
  import { createHash } from 'node:crypto'
  import { createLoader, openImageFolder, openManifest, transforms } from ${JSON.stringify(join(root, entry))}
  const list = await openManifest(${JSON.stringify(join(folder, 'list.csv'))}, { split: 'train' })
  console.log((await list.get(0)).image.data.length, list.classes)
  const dataset = await openImageFolder(${JSON.stringify(folder)}, { split: 'train', onBroken: 'skip' })
  for (const workers of [0, 1]) {
    const chain = [transforms.resize([8, 8]), transforms.toTensor()]
    const loader = createLoader(dataset, { transforms: chain, batchSize: 20, workers })
    const { value } = await loader.batches().next()
    const sha256 = createHash('sha256').update(new Uint8Array(value.pixelValues.data.buffer)).digest('hex')
    console.log(sha256, [...value.labels].join(), value.skipped.map(({ reason }) => reason).join())
    await loader.close()
  }`

test('Node gives what Bun gives', () => {
  const run = (command: string, args: string[]): { lines: string[]; stderr: string } => {
    const { stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 60_000 })
    return { lines: stdout.trim().split('\n'), stderr }
  }
  const { lines, stderr } = run(process.execPath, ['-e', program('src/index.ts')])
  expect(stderr).toBe('')
  const [list, here, fromWorker] = lines
  expect(list).toBe('576 [ "g" ]')
  expect(here).toMatch(/^[0-9a-f]{64} 0,1,1,1,2,3,4 .*cut\.jpg cannot be decoded: /)
  expect(fromWorker).toBe(here as string)
  const node = run('node', ['--input-type=module', '-e', program('dist/index.js')])
  if (node.stderr.includes('Cannot find module') && node.stderr.includes('dist'))
    throw new Error('The package is not built: run `bun run build` in the root first.')
  expect(node.stderr).toBe('')
  expect(node.lines).toEqual(["576 [ 'g' ]", here as string, here as string])
})
