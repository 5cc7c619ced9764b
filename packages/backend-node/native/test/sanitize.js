// Run by sanitize.sh: the conformance suite on the build of this package in the folder given, with 1, 2 and 5 threads,
// steps of training in bfloat16, which stores tensors that the suite does not, and the functions of images on made-up
// ones.
import { pathToFileURL } from 'node:url'
import { randomNormal, setBackend, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { autocast, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { conformanceCases } from '@vitral/core/conformance'
import { crossEntropy } from '@vitral/core/ops'

const { deviceInfo, setThreads, startNative } = await import(pathToFileURL(`${process.argv[2]}/dist/index.js`).href)
await startNative()
await setBackend('native')
const { instructionSet } = deviceInfo()
if (instructionSet !== process.env.VITRAL_ISA) {
  console.log(`${process.env.VITRAL_ISA}: not on this machine, skipped`)
  process.exit()
}
const cases = conformanceCases()
let failed = 0
for (const threads of [1, 2, 5]) {
  setThreads(threads)
  for (const { name, run } of cases)
    await run().catch(error => {
      failed++
      console.error(`FAILED ${name}: ${error.message}`)
    })
}
for (const [hiddenSize, numAttentionHeads, imageSize] of [
  [7, 7, 4],
  [33, 3, 6],
  [99, 3, 16],
  [64, 1, 46],
]) {
  const sizes = { hiddenSize, numAttentionHeads, imageSize, intermediateSize: hiddenSize + 2, numHiddenLayers: 2 }
  const model = new ViTForImageClassification({ ...sizes, patchSize: 2, numLabels: 3 })
  const parameters = [...model.parameters()].map(([, parameter]) => parameter)
  tidy(() => {
    const [pixels, labels] = [randomNormal([2, 3, imageSize, imageSize]), tensor1d([0, 2], 'int32')]
    const loss = () => autocast({}, () => crossEntropy(model.forward(pixels).logits, labels))
    const { value } = valueAndGrads(loss, parameters)
    if (!Number.isFinite(value.dataSync()[0] + loss().dataSync()[0])) failed++
  })
  model.dispose()
}
const { nativeImageKernels } = await import(pathToFileURL(`${process.argv[2]}/dist/images.js`).href)
const images = nativeImageKernels()
for (let height = 1; height < 70; height += 6)
  for (let width = 1; width < 90; width += 7)
    for (const channels of [1, 2, 3]) {
      const shape = [height, width, channels]
      const bytes = new Uint8Array(height * width * channels).fill(200)
      const output = bytes.slice()
      for (const [newHeight, newWidth] of [
        [30, 41],
        [height, 5],
        [3, width],
      ]) {
        const resized = new Uint8Array(newHeight * newWidth * channels)
        images.resizeImage(...shape, bytes, newHeight, newWidth, channels === 3, resized)
      }
      images.flipRows(...shape, bytes, output)
      const map = [0.9, 0.3, width / 3, -0.3, 1.1, -height / 4]
      for (const name of ['projectNearest', 'projectNearestInFloat', 'projectBilinear'])
        images[name](...shape, bytes, ...map, output)
      images.blendWithGrey(bytes.length, bytes, 90, 1.3, output)
      const table = new Float32Array(256 * channels)
      images.applyLut(height * width, channels, bytes, table, new Float32Array(bytes.length))
      if (channels < 3) continue
      images.blendWithLuma(height * width, bytes, 0.7, output)
      images.luma(height * width, bytes, new Uint8Array(height * width))
      images.lumaSum(height * width, bytes)
      images.adjustHue(height * width, bytes, 20, output)
    }
console.log(`${instructionSet}: ${3 * cases.length} cases, ${failed} failed`)
process.exitCode = failed ? 1 : 0
