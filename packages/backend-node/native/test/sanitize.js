// Run by sanitize.sh: the conformance suite on the build of this package in the folder given, with 1, 2 and 5 threads,
// and the functions of images on made-up ones.
import { pathToFileURL } from 'node:url'
import { setBackend } from '@tensorflow/tfjs-core'
import { conformanceCases } from '@vitral/core/conformance'

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
      images.lookUpPlanes(height * width, channels, bytes, table, new Float32Array(bytes.length))
      if (channels < 3) continue
      images.blendWithLuma(height * width, bytes, 0.7, output)
      images.luma(height * width, bytes, new Uint8Array(height * width))
      images.lumaSum(height * width, bytes)
      images.turnHue(height * width, bytes, 20, output)
    }
console.log(`${instructionSet}: ${3 * cases.length} cases, ${failed} failed`)
process.exitCode = failed ? 1 : 0
