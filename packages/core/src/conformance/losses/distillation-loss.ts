import type { Tensor2D } from '@tensorflow/tfjs-core'
import { distillationLoss } from '../../ops/losses/distillation-loss.ts'
import { type ConformanceCase, opCase, randomValues, toTensor } from '../check.ts'
import { softmaxRow } from '../softmax.ts'

const shapes: { B: number; K: number; temperature: number }[] = [
  { B: 1, K: 2, temperature: 1 },
  { B: 5, K: 10, temperature: 3 },
  { B: 3, K: 101, temperature: 0.5 },
]

export const distillationLossCases = (): ConformanceCase[] =>
  shapes.map(({ B, K, temperature }) => {
    const teacherLogits = randomValues([B, K], 2)
    const rows = Array.from({ length: B }, (_, b) => softmaxRow(teacherLogits.data, b, K, temperature))
    return opCase({
      name: `distillationLoss: ${B}×${K}, temperature ${temperature}`,
      inputs: { logits: randomValues([B, K], 1) },
      outputShape: [],
      run: ({ logits }) => {
        const teacher = toTensor(teacherLogits) as Tensor2D
        const loss = distillationLoss(logits as Tensor2D, teacher, { temperature })
        teacher.dispose()
        return loss
      },
      forward({ logits }) {
        const divergences = rows.map((teacher, b) => {
          const student = softmaxRow(logits, b, K, temperature)
          return teacher.reduce((sum, q, k) => sum + q * Math.log(q / (student[k] as number)), 0)
        })
        return Float64Array.of((temperature ** 2 * divergences.reduce((sum, value) => sum + value, 0)) / B)
      },
      backward: ({ logits }, dy) => ({
        logits: Float64Array.from(
          rows.flatMap((teacher, b) => {
            const student = softmaxRow(logits, b, K, temperature)
            return teacher.map((q, k) => (temperature * ((student[k] as number) - q) * (dy[0] as number)) / B)
          }),
        ),
      }),
    })
  })
