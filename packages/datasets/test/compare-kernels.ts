/** Prints which native loops give other bytes than the plain ones, on made-up images of many shapes; run by a test. */
import type { ImageBytes, ImageKernels } from '@vitral/core/image'
import { loadNativeKernels } from '../src/functional/kernels/native-kernels.ts'
import { plainKernels } from '../src/functional/kernels/plain-kernels.ts'
import { Random } from '../src/random/random.ts'

const native = await loadNativeKernels()
if (!native) throw new Error('There are no native kernels.')

const random = new Random(7)
const counts: Record<string, number> = {}
const failures: string[] = []

const noise = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, () => random.below(256))
/** Areas of one byte, where rounding decides more often. */
const steps = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => ((i >> 5) * 51) & 255)
const bytes = (length: number): Uint8Array<ArrayBuffer> => (random.chance(0.7) ? noise(length) : steps(length))
const pick = <T>(...values: T[]): T => values[random.below(values.length)] as T

/** Calls both with outputs that hold the same noise before: what is to stay has to stay. */
function compare<Name extends keyof ImageKernels>(name: Name, outputLength: number, ...args: unknown[]): void {
  const before = noise(Math.min(outputLength, 1 << 16))
  const [expected, given] = [plainKernels, native as ImageKernels].map(kernels => {
    const output = name === 'applyLut' ? new Float32Array(outputLength) : new Uint8Array(outputLength)
    output.set(before)
    const returned = (kernels[name] as (...args: unknown[]) => unknown)(...args, output)
    return { returned, output }
  }) as [Result, Result]
  counts[name] = (counts[name] ?? 0) + 1
  const same = Buffer.compare(viewOf(expected.output), viewOf(given.output)) === 0
  if (same && expected.returned === given.returned) return
  const at = expected.output.findIndex((value, i) => value !== given.output[i])
  const shown = args.map(arg => (ArrayBuffer.isView(arg) ? `[${arg.byteLength} bytes]` : String(arg)))
  failures.push(`${name}(${shown.join(', ')}): ${given.output[at]} at ${at}; expected ${expected.output[at]}`)
}

interface Result {
  returned: unknown
  output: Uint8Array | Float32Array
}

const viewOf = ({ buffer }: Result['output']): Uint8Array => new Uint8Array(buffer)

const length = (): number => pick(1, 2, 3, 5, 8, 17, 31, 32, 33, 64, 97, 130)
const factor = (): number => pick(0, 1, 0.5, 2, 1e-20, 1e39, 3e38, random.uniform(0, 3), random.uniform(0.8, 1.2))

for (let round = 0; round < 400; round++) {
  const [height, width, channels] = [length(), length(), pick(1, 3, 3, 2, 4)]
  const shape = [height, width, channels]
  const size = height * width * channels
  const source = pick<ImageBytes>(bytes(size), new Uint8ClampedArray(bytes(size)))

  const [newHeight, newWidth] = [pick(length(), height), pick(length(), width)]
  compare('resizeImage', newHeight * newWidth * channels, ...shape, source, newHeight, newWidth, pick(1, 2, 3, 4, 5))
  compare('flipRows', size, ...shape, source)

  const angle = random.uniform(-4, 4)
  const [cos, sin] = [Math.cos(angle) / factor(), Math.sin(angle)]
  const near = (length: number): number => pick(0, 0.5, length / 2, random.uniform(-length, 2 * length))
  const maps = [
    [cos, sin, near(width), -sin, cos, near(height)],
    [1, random.uniform(-1, 1), near(width), random.uniform(-1, 1), 1, near(height)],
    [pick(1, 0.1, 1 / 3, 2), 0, near(width), 0, pick(1, 0.7, 1 / 3), near(height)],
  ].filter(map => map.every(value => Math.abs(value) < 250))
  for (const map of maps)
    for (const name of ['projectNearest', 'projectNearestInFloat', 'projectBilinear'] as const)
      compare(name, size, ...shape, source, ...map)

  const share = factor()
  compare('blendWithGrey', size, size, source, random.below(256), share)
  const pixels = pick(height * width, random.below(200))
  const rgb = pick<ImageBytes>(bytes(pixels * 3), new Uint8ClampedArray(bytes(pixels * 3)))
  compare('blendWithLuma', pixels * 3, pixels, rgb, share)
  compare('luma', pixels, pixels, rgb)
  compare('lumaSum', 0, pixels, rgb)
  compare('adjustHue', pixels * 3, pixels, rgb, random.below(511) - 255)
  const table = Float32Array.from({ length: 256 * channels }, () => random.uniform(-2, 2))
  compare('applyLut', size, height * width, channels, source, table)
}

// A very tall image is shrunk along its columns first.
for (const [newHeight, newWidth] of [
  [3, 5],
  [250, 1],
  [300, 9],
] as const)
  compare('resizeImage', newHeight * newWidth * 3, 210, 2, 3, noise(1260), newHeight, newWidth, 3)

// Every colour there is.
const pixels = 1 << 24
const colors = new Uint8Array(3 * pixels)
for (let color = 0, i = 0; color < pixels; color++, i += 3) {
  colors[i] = color
  colors[i + 1] = color >> 8
  colors[i + 2] = color >> 16
}
compare('adjustHue', 3 * pixels, pixels, colors, Number(process.argv[2]))
compare('blendWithLuma', 3 * pixels, pixels, colors, 0.83)
compare('luma', pixels, pixels, colors)

console.log(JSON.stringify({ counts, failures }))
