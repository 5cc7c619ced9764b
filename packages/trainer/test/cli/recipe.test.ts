/** A user's own recipe, with what training knows beyond cross-entropy, through the command. */
import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'vitral-recipe-'))
afterAll(() => rmSync(folder, { recursive: true }))

const recipe = `
import { defineRecipe } from '${import.meta.dirname}/../../src/index.ts'
import { transforms } from '${import.meta.dirname}/../../../datasets/src/index.ts'
const { normalize, randAugment, toTensor } = transforms
const end = [toTensor(), normalize([0.5, 0.5, 0.5], [0.25, 0.25, 0.25])]
export default defineRecipe({
  model: { config: { imageSize: 32, patchSize: 16, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 } },
  dataset: 'cifar10',
    validation: 'test',
  transforms: { train: [randAugment(), ...end], evaluation: end },
  batchTransforms: [transforms.mixUpOrCutMix()],
  batchSize: 8,
  microBatchSize: 3,
  epochs: 1,
  optimizer: { name: 'adamw', lr: 1e-2 },
  loss: { name: 'cross-entropy', labelSmoothing: 0.1 },
  gradScaler: { initScale: 256 },
  ema: { decay: 0.9 },
})
`

test('a recipe of its own trains, and its model teaches another', async () => {
  mkdirSync(join(folder, 'cifar-10-batches-bin'))
  const counts = { 'data_batch_1.bin': 20, 'test_batch.bin': 10 }
  for (const [file, count] of Object.entries(counts)) {
    const bytes = Uint8Array.from({ length: count * 3073 }, (_, i) =>
      i % 3073 === 0 ? (i / 3073) % 10 : (i * 7) % 256,
    )
    writeFileSync(join(folder, 'cifar-10-batches-bin', file), bytes)
  }
  writeFileSync(join(folder, 'cifar-10-batches-bin/records.json'), JSON.stringify(counts))
  const classes = 'plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n'
  writeFileSync(join(folder, 'cifar-10-batches-bin/batches.meta.txt'), classes)
  writeFileSync(join(folder, 'mine.ts'), recipe)

  const teacher = join(folder, 'teacher')
  expect(await train('--out', teacher)).toMatchObject({ finished: true, steps: 3 })
  const losses = metrics(teacher).map(({ loss }) => loss)
  expect(losses.length).toBe(4) // three steps and an evaluation
  for (const loss of losses) expect(loss).toBeGreaterThan(1)
  const saved = JSON.parse(readFileSync(join(teacher, 'recipe.json'), 'utf8'))
  expect(saved.recipe.batchTransforms).toEqual([{ name: 'mixUpOrCutMix', args: expect.any(Array) }])

  const student = join(folder, 'student')
  const distillation = ['--set', `distillation.teacher=${teacher}/best`, '--set', 'distillation.kind=soft']
  expect(await train('--out', student, ...distillation)).toMatchObject({ finished: true, steps: 3 })
  expect(metrics(student).map(({ loss }) => loss)).not.toEqual(losses)
})

test('some classes alone, drawn alike or several times', async () => {
  const out = join(folder, 'some')
  const some = ['--set', 'classes=["cat","truck"]', '--set', 'batchTransforms=[]', '--set', 'gradScaler=null']
  // The 20 training images have two of each class.
  expect(await train('--out', out, ...some, '--set', 'sampler.name=class-balanced')).toMatchObject({ steps: 1 })
  const { id2label } = JSON.parse(readFileSync(join(out, 'best/config.json'), 'utf8'))
  expect(id2label).toEqual({ 0: 'cat', 1: 'truck' })
  const again = await train('--out', join(folder, 'again'), ...some, '--set', 'sampler.name=repeated-augmentation')
  expect(again).toMatchObject({ finished: true, steps: 1 })
  expect(metrics(join(folder, 'again'))[1]).toMatchObject({ count: 2 })
})

async function train(...args: string[]): Promise<unknown> {
  const command = [
    process.execPath,
    join(import.meta.dirname, '../../src/cli/index.ts'),
    'train',
    './mine.ts',
    '--data',
    folder,
  ]
  const child = Bun.spawn([...command, '--backend', 'cpu', '--json', ...args], {
    cwd: folder,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect({ code: await child.exited, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}

const metrics = (out: string): { loss: number }[] =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
