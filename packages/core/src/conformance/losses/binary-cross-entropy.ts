import { type Tensor2D, tensor1d } from '@tensorflow/tfjs-core'
import { binaryCrossEntropy } from '../../ops/losses/binary-cross-entropy.ts'
import { type ConformanceCase, opCase, randomValues } from '../check.ts'

interface Shape {
  B: number
  K: number
  labelSmoothing: number
  /** Labels of one class for each image, instead of any number. */
  single?: true
  weighted?: true
  size?: number
}

const shapes: Shape[] = [
  { B: 1, K: 1, labelSmoothing: 0 },
  { B: 5, K: 3, labelSmoothing: 0.1, single: true },
  { B: 7, K: 17, labelSmoothing: 0, weighted: true },
  { B: 3, K: 10, labelSmoothing: 0.1, weighted: true, size: 60 },
]

export const binaryCrossEntropyCases = (): ConformanceCase[] =>
  shapes.map(({ B, K, labelSmoothing, single = false, weighted = false, size = 1 }) => {
    const classes = Array.from({ length: B }, (_, b) => (b * 7 + 1) % K)
    const some = { shape: [B, K], data: Float64Array.from({ length: B * K }, (_, i) => ((i * 5 + 1) % 3) % 2) }
    const label = (i: number): number =>
      single ? Number(classes[Math.floor(i / K)] === i % K) : (some.data[i] as number)
    const target = (i: number): number => (1 - labelSmoothing) * label(i) + labelSmoothing / K
    const weights = Array.from({ length: K }, (_, k) => (weighted ? 0.5 + k / 4 : 1))
    const weight = (i: number): number => 1 + ((weights[i % K] as number) - 1) * target(i)
    return opCase({
      name: `binaryCrossEntropy: ${B}×${K}, ${single ? 'classes' : 'yes or no for each'}, smoothing ${labelSmoothing}${weighted ? ', positive weights' : ''}, logits around ${size}`,
      inputs: { logits: randomValues([B, K], 1, size), ...(!single && { labels: some }) } as Record<
        'logits' | 'labels',
        ReturnType<typeof randomValues>
      >,
      outputShape: [],
      run: ({ logits, labels }) =>
        binaryCrossEntropy(logits as Tensor2D, (labels as Tensor2D | undefined) ?? tensor1d(classes, 'int32'), {
          labelSmoothing,
          ...(weighted && { positiveWeights: weights }),
        }),
      forward: ({ logits }) =>
        Float64Array.of(
          logits.reduce((sum, x, i) => sum + (1 - target(i)) * x + weight(i) * softplus(-x), 0) / (B * K),
        ),
      backward: ({ logits }, dy) => ({
        logits: logits.map((x, i) => ((1 - target(i) - weight(i) / (1 + Math.exp(x))) * (dy[0] as number)) / (B * K)),
      }),
    })
  })

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
