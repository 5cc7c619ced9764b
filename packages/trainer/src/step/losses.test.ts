import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argMax, cast, memory, type Tensor1D, type Tensor2D, tensor1d, tensor2d, tensor4d } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { binaryCrossEntropy, crossEntropy, distillationLoss, focalLoss } from '@vitral/core/ops'
import { recipeLoss } from '../run/assemble.ts'
import { distill } from './distillation.ts'
import { createLoss } from './losses.ts'

await useBackend('cpu')

const logits = tensor2d([1, 2, -1, 0.5, -0.5, 3], [2, 3])
const labels = tensor1d([1, 0], 'int32')
const images = tensor4d(
  Float32Array.from({ length: 2 * 64 }, (_, i) => Math.sin(i)),
  [2, 1, 8, 8],
)
const config = {
  imageSize: 8,
  patchSize: 4,
  numChannels: 1,
  hiddenSize: 8,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  id2label: { 0: 'a', 1: 'b', 2: 'c' },
  numLabels: 3,
}
const numberOf = (loss: { dataSync(): ArrayLike<number> }): number => loss.dataSync()[0] as number

test('a loss by name is that of core, with its options', () => {
  const classWeights = [1, 2, 0.5]
  const of = (...[name, options]: Parameters<typeof createLoss>) =>
    numberOf(createLoss(name, options)(logits, labels, images))
  expect(of('cross-entropy', { labelSmoothing: 0.1 })).toBe(
    numberOf(crossEntropy(logits, labels, { labelSmoothing: 0.1 })),
  )
  expect(of('focal', { gamma: 1, classWeights })).toBe(numberOf(focalLoss(logits, labels, { gamma: 1, classWeights })))
  expect(of('binary-cross-entropy', { positiveWeights: classWeights })).toBe(
    numberOf(binaryCrossEntropy(logits, labels, { positiveWeights: classWeights })),
  )
  expect(() => createLoss('hinge' as never)).toThrow("There is no loss 'hinge'; expected one of cross-entropy")
  expect(() => createLoss('focal', { labelSmoothing: 0.1 })).toThrow("'focal' has no option 'labelSmoothing'")
})

test("a teacher's part is its distance from the student", () => {
  const teacher = new ViTForImageClassification(config, { seed: 3 })
  const taught = teacher.forward(images).logits
  const first = cast(argMax(taught, 1), 'int32') as Tensor1D
  const own = createLoss('cross-entropy')
  const soft = distill(own, teacher, { kind: 'soft', weight: 0.25, temperature: 2 })
  expect(numberOf(soft(logits, labels, images))).toBeCloseTo(
    0.75 * numberOf(crossEntropy(logits, labels)) +
      0.25 * numberOf(distillationLoss(logits, taught, { temperature: 2 })),
    5,
  )
  const hard = distill(own, teacher)
  expect(numberOf(hard(logits, labels, images))).toBeCloseTo(
    0.5 * numberOf(crossEntropy(logits, labels)) + 0.5 * numberOf(crossEntropy(logits, first)),
    5,
  )
  expect(() => distill(own, teacher, { weight: 2 })).toThrow('distill: weight is 2; expected a number from 0 to 1.')
  teacher.dispose()
})

test('a student learns what its teacher says, not what the labels say, and nothing of the teacher changes', () => {
  const [teacher, student] = [3, 4].map(seed => new ViTForImageClassification(config, { seed })) as [
    ViTForImageClassification,
    ViTForImageClassification,
  ]
  const loss = distill(createLoss('cross-entropy'), teacher, { kind: 'soft', weight: 1 })
  const kept = new Map([...teacher.parameters()].map(([name, parameter]) => [name, parameter.dataSync().slice()]))
  const before = memory().numTensors
  const computed = student.valueAndGrads(images, [0, 1], { loss })
  expect(memory().numTensors - before).toBe(2 + Object.keys(computed.grads).length)
  const other = student.valueAndGrads(images, [2, 2], { loss })
  for (const [name, gradient] of Object.entries(computed.grads))
    expect([...gradient.dataSync()]).toEqual([...(other.grads[name]?.dataSync() ?? [])])
  const largest = Math.max(...(computed.grads['classifier.weight']?.dataSync() ?? []))
  expect(largest).toBeGreaterThan(0)
  for (const [name, parameter] of teacher.parameters()) expect(parameter.dataSync()).toEqual(kept.get(name) as never)
})

test("a recipe's teacher must know its classes and see its images", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-teacher-'))
  const grey = { size: { height: 8, width: 8 }, imageMean: [0.5], imageStd: [0.5] }
  const processor = new ViTImageProcessor(grey)
  await new ViTForImageClassification(config, { seed: 3 }).savePretrained(folder)
  await processor.savePretrained(folder)
  const recipe = {
    loss: { name: 'cross-entropy' as const },
    distillation: { teacher: folder, kind: 'soft' as const, weight: 1 },
  }
  const loss = await recipeLoss(recipe, { labels: ['a', 'b', 'c'], processor })
  expect(numberOf(loss(logits as Tensor2D, labels, images))).toBeGreaterThan(0)
  await expect(recipeLoss(recipe, { labels: ['a', 'c', 'b'], processor })).rejects.toThrow(
    'knows 3 classes, a, b, c; expected those of the data set, in their order: a, c, b.',
  )
  const others = new ViTImageProcessor({ ...grey, imageMean: [0] })
  await expect(recipeLoss(recipe, { labels: ['a', 'b', 'c'], processor: others })).rejects.toThrow(
    'was made for images with imageMean [0.5], but the recipe',
  )
  const larger = new ViTImageProcessor({
    ...grey,
    size: { shortestEdge: 10 },
    doCenterCrop: true,
    cropSize: { height: 9, width: 9 },
  })
  await expect(recipeLoss(recipe, { labels: ['a', 'b', 'c'], processor: larger })).rejects.toThrow(
    "was made for images of 8×8 pixels, but the recipe's transforms give 9×9;",
  )
  rmSync(folder, { recursive: true })
})
