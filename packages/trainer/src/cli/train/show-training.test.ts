/** What is said of a step. */
import { expect, test } from 'bun:test'
import type { Progress } from '../progress.ts'
import { showTraining } from './show-training.ts'

test('parameters that some processes have not used are named, each once', () => {
  const said: string[] = []
  const progress: Progress = { update: () => {}, end: () => {}, say: line => said.push(line), beside: () => {} }
  const { onStep } = showTraining(progress, { epochs: 1 } as never, { trainImages: 100, evaluationImages: 10 } as never)
  const step = { epoch: 1, step: 1, images: 8, lr: 0.1, loss: 2, meanLoss: 2, imagesPerSecond: 1 }
  onStep?.(step)
  onStep?.({ ...step, unusedParameters: ['mask_token'] })
  onStep?.({ ...step, unusedParameters: ['mask_token', 'classifier.bias'] })
  onStep?.({ ...step, unusedParameters: ['mask_token'] })
  expect(said).toEqual([
    'Without a gradient in some of the processes: mask_token',
    'Without a gradient in some of the processes: classifier.bias',
  ])
})
