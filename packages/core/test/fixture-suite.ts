/**
 * The article's model in PyTorch, met value by value: one suite that each backend's test runs against the reference
 * outputs in test/fixtures (hidden states, attentions, logits, losses, masks, another image size, every gradient).
 */
import { join } from 'node:path'
import { type Tensor, type Tensor2D, type Tensor4D, tensor, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { ViTForImageClassification } from '@vitral/core'
import { readSafetensors, toFloat32 } from '@vitral/core/files'
import { crossEntropy } from '@vitral/core/ops'

export const fixturesFolder: string = join(import.meta.dirname, 'fixtures')

/** Tensors of a fixture file by name, as float32. */
export async function readFixture(name: string): Promise<(key: string) => { shape: number[]; data: Float32Array }> {
  const { tensors } = await readSafetensors(join(fixturesFolder, name))
  return key => {
    const found = tensors.get(key)
    if (!found) throw new Error(`${name} has no tensor '${key}'.`)
    const data =
      found.dtype === 'I64' || found.dtype === 'BOOL'
        ? Float32Array.from(found.data as never, Number)
        : toFloat32(found)
    return { shape: found.shape, data }
  }
}

/**
 * Registers the tests.
 *
 * Tolerances are relative to the largest magnitude of the tensor: 1e-5 for values (float32 sums of up to 192 products,
 * in another order than PyTorch's, through three layers), 1e-4 for gradients (as long again on the way back).
 */
export function fixtureSuite(test: (name: string, run: () => Promise<void>) => void): void {
  for (const fixture of ['square', 'rect']) {
    const withModel = async (
      run: (model: ViTForImageClassification, io: Awaited<ReturnType<typeof readFixture>>) => Promise<void>,
    ) => {
      const model = await ViTForImageClassification.fromPretrained(join(fixturesFolder, fixture, 'model'), {
        useMaskToken: true,
        onNewlyInitialized: () => {}, // the mask token, which a classifier's folder does not have
      })
      try {
        await run(model, await readFixture(`${fixture}/io.safetensors`))
      } finally {
        model.dispose()
      }
    }

    test(`${fixture}: hidden states, attentions, logits and loss are PyTorch's`, () =>
      withModel(async (model, io) => {
        const output = model.forward(input(io, 'pixel_values') as Tensor4D, {
          labels: Int32Array.from(io('labels').data),
          outputHiddenStates: true,
          outputAttentions: true,
        })
        const { hiddenStates = [], attentions = [], logits, loss } = output
        for (const [i, state] of hiddenStates.entries())
          await expectClose(state, io(`hidden_states.${i}`), 1e-5, `hidden state ${i}`)
        for (const [i, map] of attentions.entries())
          await expectClose(map, io(`attentions.${i}`), 1e-5, `attention ${i}`)
        if (
          hiddenStates.length !== model.config.numHiddenLayers + 1 ||
          attentions.length !== model.config.numHiddenLayers
        )
          throw new Error(`${hiddenStates.length} hidden states and ${attentions.length} attentions came back`)
        await expectClose(logits, io('logits'), 1e-5, 'logits')
        await expectClose(loss as Tensor, io('loss'), 1e-5, 'loss')
      }))

    test(`${fixture}: label smoothing, masked patches and another image size are PyTorch's`, () =>
      withModel(async (model, io) => {
        const pixels = input(io, 'pixel_values') as Tensor4D
        const labels = Int32Array.from(io('labels').data)
        const smoothed = model.forward(pixels, {
          labels,
          loss: (logits, target) => crossEntropy(logits, target, { labelSmoothing: 0.1 }),
        })
        await expectClose(smoothed.loss as Tensor, io('loss_label_smoothing_0.1'), 1e-5, 'loss with label smoothing')

        const maskToken = model.parameters().get('vit.embeddings.mask_token')
        maskToken?.assign(input(io, 'mask_token'))
        const masked = model.forward(pixels, { boolMaskedPos: input(io, 'bool_masked_pos') as Tensor2D })
        await expectClose(masked.logits, io('logits_masked'), 1e-5, 'logits with masked patches')

        const other = input(io, 'pixel_values_other_size') as Tensor4D
        const resized = model.forward(other, { interpolatePosEncoding: true })
        await expectClose(resized.logits, io('logits_other_size'), 1e-5, 'logits at another size')
      }))

    test(`${fixture}: loaded for another image size, its positions are PyTorch's`, async () => {
      const io = await readFixture(`${fixture}/io.safetensors`)
      const pixels = input(io, 'pixel_values_other_size') as Tensor4D
      const imageSize = [pixels.shape[2], pixels.shape[3]] as const
      const model = await ViTForImageClassification.fromPretrained(join(fixturesFolder, fixture, 'model'), {
        imageSize,
      })
      await expectClose(model.forward(pixels).logits, io('logits_other_size'), 1e-5, 'logits')
      model.dispose()
    })

    test(`${fixture}: every gradient is PyTorch's`, () =>
      withModel(async (model, io) => {
        const labels = tensor1d(Int32Array.from(io('labels').data), 'int32')
        const { loss, grads } = model.valueAndGrads(input(io, 'pixel_values') as Tensor4D, labels)
        await expectClose(loss, io('loss'), 1e-5, 'loss')
        for (const name of model.parameters().keys()) {
          if (name.endsWith('mask_token')) continue // no patch is masked, so the loss does not depend on it
          const gradient = grads[name]
          if (!gradient) throw new Error(`There is no gradient of ${name}.`)
          await expectClose(gradient, io(`grad.${name}`), 1e-4, `gradient of ${name}`)
        }
      }))
  }
}

function input(io: Awaited<ReturnType<typeof readFixture>>, key: string): Tensor {
  const { data, shape } = io(key)
  return tidy(() => tensor(data, shape, 'float32'))
}

/**
 * Requires every element within `tolerance` times the largest magnitude expected. Below 1e-9 nothing is compared: the
 * gradient of the key bias is zero in exact arithmetic (softmax ignores a constant), and in float32 noise of 1e-11.
 */
export async function expectClose(
  actual: Tensor,
  expected: { shape: number[]; data: Float32Array },
  tolerance: number,
  what: string,
): Promise<void> {
  const values = await actual.data()
  if (values.length !== expected.data.length)
    throw new Error(`${what} has ${values.length} elements; expected ${expected.data.length}.`)
  const largest = expected.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs((values[i] as number) - (expected.data[i] as number))
    if (!(difference <= tolerance * largest + 1e-9))
      throw new Error(
        `${what} differs at element ${i}: ${values[i]}, expected ${expected.data[i]}, within ${tolerance} × ${largest}.`,
      )
  }
}
