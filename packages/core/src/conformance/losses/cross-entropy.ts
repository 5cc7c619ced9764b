import { add, type Tensor1D, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { crossEntropy } from '../../ops/losses/cross-entropy.ts'
import { type ConformanceCase, opCase, randomValues, toTensor, withoutLeak } from '../check.ts'

interface Shape {
  B: number
  K: number
  labelSmoothing: number
  soft: boolean
  size?: number
  weighted?: true
}

const shapes: Shape[] = [
  { B: 1, K: 2, labelSmoothing: 0, soft: false },
  { B: 5, K: 3, labelSmoothing: 0.1, soft: false },
  { B: 7, K: 17, labelSmoothing: 0, soft: true },
  { B: 4, K: 10, labelSmoothing: 0.1, soft: true },
  { B: 3, K: 1000, labelSmoothing: 0, soft: false },
  { B: 1, K: 10, labelSmoothing: 0.1, soft: false },
  { B: 65, K: 101, labelSmoothing: 0.1, soft: false },
  { B: 6, K: 5, labelSmoothing: 0, soft: false, size: 60 },
  { B: 5, K: 33, labelSmoothing: 0.1, soft: true, size: 60 },
  { B: 6, K: 4, labelSmoothing: 0.2, soft: false, weighted: true },
  { B: 3, K: 7, labelSmoothing: 0, soft: true, weighted: true },
]

export const crossEntropyCases = (): ConformanceCase[] => [...losses(), labelsOutOfRange()]

/** Labels that are no classes are refused, or the loss is NaN where they cannot be read without waiting; never a number. */
const labelsOutOfRange = (): ConformanceCase => ({
  name: 'crossEntropy: labels out of range',
  run: () =>
    withoutLeak(async () => {
      const [B, K] = [2000, 3]
      const logits = toTensor(randomValues([B, K], 1)) as Tensor2D
      for (const wrong of [-1, K, K + 1]) {
        const fromUser = tensor1d(new Int32Array(B).fill(wrong), 'int32')
        const computed = tidy(() => add(fromUser, tensor1d(new Int32Array(B), 'int32')) as Tensor1D)
        for (const labels of [fromUser, computed]) {
          const loss = await Promise.resolve()
            .then(() => crossEntropy(logits, labels))
            .catch((error: Error) => error)
          const says = loss instanceof Error ? loss.message : `a loss of ${(await loss.data())[0]}`
          if (!/labels\[0\] is .* expected a class index|a loss of NaN/.test(says))
            throw new Error(`labels of ${wrong} with ${K} classes give ${says}`)
          for (const made of [labels, loss]) if (!(made instanceof Error)) made.dispose()
        }
      }
      logits.dispose()
    }),
})

const losses = (): ConformanceCase[] =>
  shapes.map(({ B, K, labelSmoothing, soft, size = 1, weighted = false }) => {
    const classes = Array.from({ length: B }, (_, b) => (b * 7 + 1) % K)
    const probabilities = randomValues([B, K], 2)
    probabilities.data.forEach((value, i) => {
      probabilities.data[i] = Math.fround(Math.exp(value) / K) // not quite of sum 1, which must not matter
    })
    const weights = Array.from({ length: K }, (_, k) => (weighted ? Math.fround(k / 3) : 1)) // one of them is 0
    const label = (b: number, k: number): number =>
      soft ? (probabilities.data[b * K + k] as number) : classes[b] === k ? 1 : 0
    const target = (b: number, k: number): number =>
      ((1 - labelSmoothing) * label(b, k) + labelSmoothing / K) * (weights[k] as number)
    const parts = soft ? B : classes.reduce((sum, k) => sum + (weights[k] as number), 0)
    const softmax = (logits: Float64Array, b: number): { partition: number; probabilities: number[] } => {
      const row = [...logits.subarray(b * K, (b + 1) * K)]
      const largest = row.reduce((most, value) => Math.max(most, value))
      const partition = largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0))
      return { partition, probabilities: row.map(value => Math.exp(value - partition)) }
    }
    return opCase({
      name: `crossEntropy: ${B}×${K}, ${soft ? 'soft labels' : 'classes'}, smoothing ${labelSmoothing}${weighted ? ', class weights' : ''}, logits around ${size}`,
      inputs: { logits: randomValues([B, K], 1, size), ...(soft && { labels: probabilities }) } as Record<
        'logits' | 'labels',
        ReturnType<typeof randomValues>
      >,
      outputShape: [],
      run: ({ logits, labels }) =>
        crossEntropy(logits as Tensor2D, (labels as Tensor2D | undefined) ?? (tensor1d(classes, 'int32') as Tensor1D), {
          labelSmoothing,
          ...(weighted && { classWeights: weights }),
        }),
      forward({ logits }) {
        let loss = 0
        for (let b = 0; b < B; b++) {
          const { partition } = softmax(logits, b)
          for (let k = 0; k < K; k++) loss += target(b, k) * (partition - (logits[b * K + k] as number))
        }
        return Float64Array.of(loss / parts)
      },
      backward({ logits }, dy) {
        const gradient = new Float64Array(B * K)
        for (let b = 0; b < B; b++) {
          const { probabilities: p } = softmax(logits, b)
          let total = 0
          for (let k = 0; k < K; k++) total += target(b, k)
          for (let k = 0; k < K; k++)
            gradient[b * K + k] = (((p[k] as number) * total - target(b, k)) * (dy[0] as number)) / parts
        }
        return { logits: gradient }
      },
    })
  })
