/** The built package in plain Node: the same bits as here, from the calling thread and from workers. */
import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dir, '..')

/** Prints a checksum of augmented batches. */
const program = (entry: string): string => `
  import { createHash } from 'node:crypto'
  import { createLoader, openCifar10, transforms } from ${JSON.stringify(join(root, entry))}
  const dataset = await openCifar10(${JSON.stringify(join(root, '../../examples/cifar10-sample'))}, { split: 'test' })
  for (const workers of [0, 2]) {
    const chain = transforms.articleFromScratch({ train: true })
    const loader = createLoader(dataset, { transforms: chain, batchSize: 4, shuffle: true, seed: 3, workers })
    const { value } = await loader.batches({ epoch: 1 }).next()
    console.log(createHash('sha256').update(new Uint8Array(value.pixelValues.data.buffer)).digest('hex'))
    await loader.close()
  }`

const run = (command: string, args: string[]): { lines: string[]; stderr: string } => {
  const { stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 60_000 })
  if (error) throw error
  return { lines: stdout.trim().split('\n'), stderr }
}

test('Node gives the bits that Bun gives', () => {
  const [here, fromWorkers] = run(process.execPath, ['-e', program('src/index.ts')]).lines
  expect(here).toMatch(/^[0-9a-f]{64}$/)
  expect(fromWorkers).toBe(here as string)
  const { lines, stderr } = run('node', ['--input-type=module', '-e', program('dist/index.js')])
  if (stderr.includes('Cannot find module') && stderr.includes('dist'))
    throw new Error('The package is not built: run `bun run build` in the root first.')
  expect(stderr).toBe('')
  expect(lines).toEqual([here as string, here as string])
})
