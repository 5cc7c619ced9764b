/** The exported graph against PyTorch's own outputs, computed by ONNX Runtime. */
import { expect, test } from 'bun:test'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { fixture } from '../../test/fixture.ts'
import { exportFolder } from '../inputs.ts'
import { maxDifference } from '../statistics.ts'

test('bytes are near the same logits, and not the same', async () => {
  const { modelFolder, config, pixelValues, logits } = await fixture('square')
  const session = await InferenceSession.create(Buffer.concat(await exportFolder(modelFolder, config, { int8: true })))
  const output = (await session.run({ pixel_values: new Tensor('float32', pixelValues.data, pixelValues.shape) }))
    .logits as Tensor
  const largest = Math.max(...logits.data.map(Math.abs))
  const difference = maxDifference([...(output.data as Float32Array)], [...logits.data])
  expect(difference).toBeLessThan(largest / 20)
  expect(difference).toBeGreaterThan(1e-4)
  await session.release()
})

for (const name of ['square', 'rect'] as const)
  test(`${name}: ONNX Runtime computes PyTorch's logits from the exported file`, async () => {
    const { modelFolder, config, pixelValues, logits } = await fixture(name)
    const file = Buffer.concat(await exportFolder(modelFolder, config))
    const session = await InferenceSession.create(file, { intraOpNumThreads: 1 })
    const output = (await session.run({ pixel_values: new Tensor('float32', pixelValues.data, pixelValues.shape) }))
      .logits as Tensor
    expect(output.dims).toEqual(logits.shape)
    expect(maxDifference([...(output.data as Float32Array)], [...logits.data])).toBeLessThan(1e-5)
    await session.release()
  })
