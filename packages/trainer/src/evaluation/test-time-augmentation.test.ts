import { expect, test } from 'bun:test'
import { mean, type Tensor2D, type Tensor4D, tensor2d, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { averageViews, type TestTimeAugmentation } from './test-time-augmentation.ts'

await useBackend('cpu')

const pixels = (height: number, width: number): Tensor4D =>
  tensor4d(
    Float32Array.from({ length: 2 * height * width }, (_, i) => Math.sin(i * 1.7)),
    [2, 1, height, width],
  )

/** Two logits that tell left from right: the first column's mean, and all others'. */
const logitsOf = (view: Tensor4D): Tensor2D => {
  const values = view.arraySync()
  const rows = values.map(([image]) => [image?.[0]?.[0] ?? 0, image?.at(-1)?.at(-1) ?? 0])
  return tidy(() => mean(tensor4d(rows.flat(), [2, 2, 1, 1]), [2, 3]) as Tensor2D)
}

const softmax = ([a, b]: [number, number]): number => Math.exp(a) / (Math.exp(a) + Math.exp(b))

/** Mean probability of the first class over corners [top left, bottom right] of the views. */
function expected(image: number, tall: number, wide: number, places: [number, number][], mirrored: boolean): number {
  const at = (y: number, x: number): number => Math.fround(Math.sin((image * tall * wide + y * wide + x) * 1.7))
  const views = places.flatMap(([top, left]) => {
    const plain = softmax([at(top, left), at(top + 3, left + 3)])
    return mirrored ? [plain, softmax([at(top, left + 3), at(top + 3, left)])] : [plain]
  })
  return views.reduce((total, one) => total + one, 0) / views.length
}

const corners: [number, number][] = [
  [0, 0],
  [0, 2],
  [2, 0],
  [2, 2],
  [1, 1],
]

test.each([
  ['flip', 4, 4, [[0, 0]], true],
  ['five-crop', 6, 6, corners, false],
  ['ten-crop', 6, 6, corners, true],
] as [TestTimeAugmentation, number, number, [number, number][], boolean][])(
  '%s averages the probabilities of its views',
  (name, height, width, places, mirrored) => {
    const averaged = averageViews(pixels(height, width), [4, 4], name, logitsOf).arraySync()
    for (const image of [0, 1])
      expect(Math.exp(averaged[image]?.[0] ?? 0)).toBeCloseTo(expected(image, height, width, places, mirrored), 5)
  },
)

test('a class without any probability keeps a finite logarithm', () => {
  const far = (): Tensor2D => tensor2d([[1000, -1000]])
  const [row] = averageViews(pixels(4, 4), [4, 4], 'flip', far).arraySync()
  expect(row).toEqual([0, -2000])
})
