/** Five training steps, against the same in PyTorch: losses, norms and every parameter afterwards. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { fill, memory, type Variable } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'
import { readSafetensors, toFloat32 } from '@vitral/core/files'
import { createOptimizer } from '../optimizers/index.ts'
import type { OptimizerName, OptimizerOptions } from '../recipe/types.ts'
import type { ImageBatch } from './batch.ts'
import { GradScaler } from './grad-scaler.ts'
import { createLoss } from './losses.ts'
import { type TrainStepOptions, trainStep } from './train-step.ts'

const fixtures = join(import.meta.dirname, '../../../core/test/fixtures')

const runs: Record<string, [OptimizerName, OptimizerOptions]> = {
  adam_l2: ['adam', { lr: 1e-3, weightDecay: 1e-3 }],
  adamw: ['adamw', { lr: 1e-3, betas: [0.9, 0.95], weightDecay: 0.05 }],
  sgd_nesterov: ['sgd', { lr: 1e-2, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }],
}

const backends: BackendName[] = ['cpu', 'native']

for (const backend of backends) {
  const problem = await useBackend(backend).then(
    () => '',
    (error: Error) => error.message,
  )
  if (problem) console.log(`Training steps on ${backend} are skipped: ${problem}`)

  describe.skipIf(problem !== '')(`five steps on ${backend}`, () => {
    for (const fixture of ['square', 'rect'])
      test.each(Object.keys(runs))(`${fixture}: %s ends where PyTorch does`, async name => {
        await useBackend(backend)
        const io = await tensorsOf(`${fixture}/io.safetensors`)
        const expected = await tensorsOf(`${fixture}/training.safetensors`)
        const model = await ViTForImageClassification.fromPretrained(join(fixtures, fixture, 'model'))
        const [optimizerName, options] = runs[name] as [OptimizerName, OptimizerOptions]
        const optimizer = createOptimizer(optimizerName, model.parameters(), options)
        const { data, shape } = io('pixel_values')
        const batch: ImageBatch = {
          pixelValues: { data, shape: shape as [number, number, number, number] },
          labels: Int32Array.from(io('labels').data),
        }

        let gradNorm: number | undefined
        for (const loss of expected(`${name}.losses`).data) {
          const result = await trainStep(model, optimizer, batch, { seed: 0, clipGradNorm: 1 })
          expect(Math.abs(result.loss - loss)).toBeLessThan(1e-5)
          gradNorm = result.gradNorm
        }
        const normInPyTorch = expected(`${name}.last_grad_norm_before_clip`).data[0] as number
        expect(Math.abs((gradNorm as number) - normInPyTorch)).toBeLessThan(1e-4 * normInPyTorch)
        for (const [parameterName, parameter] of model.parameters())
          expectWithin(await parameter.data(), expected(`${name}.param.${parameterName}`).data, parameterName)
        optimizer.dispose()
        model.dispose()
      })

    test('a step in bfloat16 is that of float32 but for its rounding, where the backend knows it', async () => {
      await useBackend(backend)
      const io = await tensorsOf('square/io.safetensors')
      const { data, shape } = io('pixel_values')
      const pixelValues = { data, shape: shape as [number, number, number, number] }
      const labels = Int32Array.from(io('labels').data)
      const stepIn = async (precision: 'float32' | 'bfloat16') => {
        const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
        const optimizer = createOptimizer('sgd', model.parameters(), { lr: 1e-2 })
        const options = { seed: 0, precision, clipGradNorm: 100 }
        const { loss, gradNorm = 0 } = await trainStep(model, optimizer, { pixelValues, labels }, options)
        model.dispose()
        return [loss, gradNorm] as const
      }
      const [[loss, norm], [lossInHalf, normInHalf]] = [await stepIn('float32'), await stepIn('bfloat16')]
      expect([lossInHalf, normInHalf]).toEqual([expect.closeTo(loss, 1), expect.closeTo(norm, 1)])
      const rounds = backend === 'native'
      expect([lossInHalf !== loss, normInHalf !== norm]).toEqual([rounds, rounds])
    })

    test('a step with gradient checkpointing ends with the same bits', async () => {
      await useBackend(backend)
      const { data, shape } = (await tensorsOf('square/io.safetensors'))('pixel_values')
      const pixelValues = { data, shape: shape as [number, number, number, number] }
      const labels = new Int32Array(pixelValues.shape[0])
      const after = async (gradientCheckpointing: boolean) => {
        const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
        const optimizer = createOptimizer('sgd', model.parameters(), { lr: 0.1 })
        await trainStep(model, optimizer, { pixelValues, labels }, { seed: 1, gradientCheckpointing })
        const values = await Promise.all([...model.parameters().values()].map(parameter => parameter.data()))
        model.dispose()
        return values
      }
      expect(await after(true)).toEqual(await after(false))
    })

    test('a batch in parts, with the soft labels of mixed images, is the step of the whole batch', async () => {
      await useBackend(backend)
      const { data, shape } = (await tensorsOf('square/io.safetensors'))('pixel_values')
      const size = data.length / (shape[0] as number)
      const count = 5
      const batch: ImageBatch = {
        pixelValues: {
          data: Float32Array.from({ length: count * size }, (_, i) => data[i % data.length] as number),
          shape: [count, ...(shape.slice(1) as [number, number, number])],
        },
        labels: new Int32Array(count),
      }
      const after = async (given: ImageBatch, options: Partial<TrainStepOptions> = {}) => {
        const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
        const optimizer = createOptimizer('sgd', model.parameters(), { lr: 0.5 })
        const { loss } = await trainStep(model, optimizer, given, { seed: 1, ...options })
        const values = await Promise.all([...model.parameters().values()].map(async p => [...(await p.data())]))
        const classes = model.config.numLabels
        model.dispose()
        return { loss, values: values.flat(), classes }
      }
      const { classes } = await after(batch)
      batch.softLabels = {
        data: Float32Array.from({ length: count * classes }, (_, i) => [0.75, 0.25][(i % classes) - 1] ?? 0),
        shape: [count, classes],
      }
      const whole = await after(batch)
      expect(whole.loss).not.toBeCloseTo((await after({ ...batch, softLabels: undefined })).loss, 3)
      const other = [
        { microBatchSize: 2 },
        { scaler: new GradScaler() },
        { microBatchSize: 3, scaler: new GradScaler() },
      ]
      for (const options of other) {
        const parts = await after(batch, options)
        expect(parts.loss).toBeCloseTo(whole.loss, 5)
        // Sums in another order: a few roundings of float32, of values up to about 1.
        const worst = whole.values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (parts.values[i] as number))),
          0,
        )
        expect(worst).toBeLessThan(2e-6)
      }
      expect(await after(batch, { microBatchSize: 9 })).toEqual(whole)
    })

    test('a step leaves no tensor behind', async () => {
      await useBackend(backend)
      const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
      const optimizer = createOptimizer('sgd', model.parameters())
      const { data, shape } = (await tensorsOf('square/io.safetensors'))('pixel_values')
      const pixelValues = { data, shape: shape as [number, number, number, number] }
      const labels = new Int32Array(pixelValues.shape[0])
      const options = { seed: 0, loss: createLoss('cross-entropy', { labelSmoothing: 0.1 }), clipGradNorm: 1 }
      await trainStep(model, optimizer, { pixelValues, labels }, options)
      const before = memory().numTensors
      await trainStep(model, optimizer, { pixelValues, labels }, options)
      expect(memory().numTensors).toBe(before)

      pixelValues.data.fill(Number.NaN)
      await expect(trainStep(model, optimizer, { pixelValues, labels }, options)).rejects.toThrow('The loss is NaN')
      expect(memory().numTensors).toBe(before)
      model.dispose()
    })

    test('a loss that is no number is followed to where it began', async () => {
      await useBackend(backend)
      const { data, shape } = (await tensorsOf('square/io.safetensors'))('pixel_values')
      const pixelValues = { data, shape: shape as [number, number, number, number] }
      const labels = new Int32Array(pixelValues.shape[0])
      const messageAfter = async (name: string, value: number, options: Partial<TrainStepOptions> = {}) => {
        const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
        const optimizer = createOptimizer('sgd', model.parameters())
        const parameter = model.parameters().get(name) as Variable
        const values = fill(parameter.shape, value)
        parameter.assign(values)
        const step = trainStep(model, optimizer, { pixelValues, labels }, { seed: 0, ...options })
        const message = await step.then(
          () => '',
          (error: Error) => error.message,
        )
        model.dispose()
        return message
      }
      expect(await messageAfter('vit.layernorm.bias', Number.NaN)).toMatch(
        /The loss is NaN.* the parameter vit\.layernorm\.bias holds \d+ NaN of \d+ values/,
      )
      // Finite, but its products are not.
      expect(await messageAfter('vit.encoder.layer.1.output.dense.weight', 3e38)).toMatch(
        /It began in the forward pass, in layer 1 of \d+, whose output holds \d+/,
      )
      const scaler = new GradScaler({ initScale: 2 })
      expect(await messageAfter('vit.layernorm.bias', Number.NaN, { scaler })).toBe('') // left out, with a lower scale
      expect(scaler.scale).toBe(1)
      expect(await messageAfter('vit.layernorm.bias', Number.NaN, { scaler })).toContain('The loss is NaN')
      const images = { data: data.map(() => Infinity), shape: pixelValues.shape }
      const model = await ViTForImageClassification.fromPretrained(join(fixtures, 'square', 'model'))
      const step = trainStep(
        model,
        createOptimizer('sgd', model.parameters()),
        { pixelValues: images, labels },
        { seed: 0 },
      )
      await expect(step).rejects.toThrow(/The images hold \d+ infinite of \d+ values: it began in the data/)
      model.dispose()
    })
  })
}

async function tensorsOf(file: string): Promise<(name: string) => { shape: number[]; data: Float32Array }> {
  const { tensors } = await readSafetensors(join(fixtures, file))
  return name => {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`${file} has no tensor '${name}'.`)
    return { shape: tensor.shape, data: toFloat32(tensor) }
  }
}

/**
 * Within 1e-5, except for one element in a thousand, which may be 1e-4 off. Adam divides a gradient by its own size, so
 * where gradient and L2 term cancel (in `square` to 1.5e-8, one element of 95,530) the rounding of the one becomes the
 * direction of the step, here of 1e-3.
 */
function expectWithin(values: ArrayLike<number>, expected: Float32Array, name: string): void {
  const differences = Array.from(expected, (value, i) => Math.abs((values[i] as number) - value))
  expect(values.length).toBe(expected.length)
  const over = (limit: number) => differences.filter(difference => !(difference <= limit)).length
  if (over(1e-5) > expected.length / 1000 || over(1e-4) > 0)
    throw new Error(`${name} differs from PyTorch's by up to ${Math.max(...differences)}.`)
}
