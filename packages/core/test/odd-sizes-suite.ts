/** Images whose sides are no multiple of the patch: a convolution leaves their last pixels out, on every backend. */
import { expect } from 'bun:test'
import { slice, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { ViTForImageClassification } from '@vitral/core'

const small = {
  ...{ hiddenSize: 12, numHiddenLayers: 2, numAttentionHeads: 3, mlpRatio: 2, patchSize: 8, numLabels: 5 },
  initializerRange: 0.4,
}

export function oddSizesSuite(test: (name: string, run: () => Promise<void>) => void): void {
  test('pixels beyond the last whole patch are left out, in the logits, every gradient and interpolated positions', async () => {
    const [odd, even] = [[19, 22] as const, [16, 16] as const].map(
      imageSize => new ViTForImageClassification({ ...small, imageSize }, { seed: 4 }),
    ) as [ViTForImageClassification, ViTForImageClassification]
    const image = waves([2, 3, 19, 22])
    const cropped = slice(image, [0, 0, 0, 0], [2, 3, 16, 16])
    const [ofOdd, ofEven] = [odd.valueAndGrads(image, [0, 3]), even.valueAndGrads(cropped, [0, 3])]
    expect(await ofOdd.logits.data()).toEqual(await ofEven.logits.data())
    expect(Object.keys(ofOdd.grads)).toEqual(Object.keys(ofEven.grads))
    for (const [name, gradient] of Object.entries(ofOdd.grads))
      expect(await gradient.data()).toEqual((await ofEven.grads[name]?.data()) as Float32Array)

    const wide = waves([1, 3, 25, 39]) // 3 × 4 patches
    const whole = slice(wide, [0, 0, 0, 0], [1, 3, 24, 32])
    const logits = (model: ViTForImageClassification, pixels: Tensor4D) =>
      model.forward(pixels, { interpolatePosEncoding: true }).logits.data()
    expect(await logits(odd, wide)).toEqual(await logits(even, whole))
  })
}

const waves = (shape: [number, number, number, number]): Tensor4D =>
  tensor4d(
    Float32Array.from({ length: shape.reduce((product, length) => product * length) }, (_, i) => Math.sin(i)),
    shape,
  )
