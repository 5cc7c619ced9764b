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
  const many = [
    transforms.randomCrop(32, { padding: 4, paddingMode: 'reflect' }),
    transforms.randomResizedCrop(40),
    transforms.randomVerticalFlip(),
    transforms.randomAffine(20, { translate: [0.1, 0.1], scale: [0.8, 1.2], shear: 10, interpolation: 'bilinear' }),
    transforms.autoAugment({ policy: 'cifar10' }),
    transforms.randAugment({ interpolation: 'bilinear' }),
    transforms.trivialAugmentWide(),
    transforms.augMix(),
    transforms.gaussianBlur(5),
    transforms.randomGrayscale(),
    transforms.centerCrop(36),
    transforms.toTensor(),
    transforms.normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2]),
    transforms.randomErasing({ value: 'random' }),
  ]
  for (const workers of [0, 2]) {
    const hash = createHash('sha256')
    for (const [chain, batchTransforms] of [
      [transforms.articleFromScratch({ train: true }), []],
      [many, [transforms.mixUpOrCutMix()]],
    ]) {
      const options = { transforms: chain, batchTransforms, batchSize: 4, shuffle: true, seed: 3, workers }
      const loader = createLoader(dataset, options)
      let count = 0
      for await (const { pixelValues, softLabels } of loader.batches({ epoch: 1 })) {
        hash.update(new Uint8Array(pixelValues.data.buffer))
        if (softLabels) hash.update(new Uint8Array(softLabels.data.buffer))
        if (++count === 6) break
      }
      await loader.close()
    }
    console.log(hash.digest('hex'))
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
