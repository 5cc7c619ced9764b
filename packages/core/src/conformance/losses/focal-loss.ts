import { type Tensor2D, tensor1d } from '@tensorflow/tfjs-core'
import { focalLoss } from '../../ops/losses/focal-loss.ts'
import { type ConformanceCase, opCase, randomValues } from '../check.ts'
import { softmaxRow } from '../softmax.ts'

const shapes: { B: number; K: number; gamma: number; weighted?: true }[] = [
  { B: 1, K: 2, gamma: 2 },
  { B: 5, K: 3, gamma: 0 },
  { B: 7, K: 17, gamma: 1.5, weighted: true },
  { B: 4, K: 10, gamma: 5 },
]

export const focalLossCases = (): ConformanceCase[] =>
  shapes.map(({ B, K, gamma, weighted = false }) => {
    const classes = Array.from({ length: B }, (_, b) => (b * 7 + 1) % K)
    const weights = Array.from({ length: K }, (_, k) => (weighted ? 0.5 + k / 4 : 1))
    return opCase({
      name: `focalLoss: ${B}×${K}, γ ${gamma}${weighted ? ', class weights' : ''}`,
      inputs: { logits: randomValues([B, K], 1) },
      outputShape: [],
      run: ({ logits }) =>
        focalLoss(logits as Tensor2D, tensor1d(classes, 'int32'), {
          gamma,
          ...(weighted && { classWeights: weights }),
        }),
      forward({ logits }) {
        const losses = classes.map((k, b) => {
          const p = softmaxRow(logits, b, K)[k] as number
          return -(weights[k] as number) * (1 - p) ** gamma * Math.log(p)
        })
        return Float64Array.of(losses.reduce((sum, loss) => sum + loss, 0) / B)
      },
      backward({ logits }, dy) {
        const gradient = new Float64Array(B * K)
        for (const [b, label] of classes.entries()) {
          const probabilities = softmaxRow(logits, b, K)
          const p = probabilities[label] as number
          const slope = gamma * (1 - p) ** (gamma - 1) * Math.log(p) - (1 - p) ** gamma / p
          for (let k = 0; k < K; k++)
            gradient[b * K + k] =
              ((weights[label] as number) *
                slope *
                p *
                (Number(k === label) - (probabilities[k] as number)) *
                (dy[0] as number)) /
              B
        }
        return { logits: gradient }
      },
    })
  })
