/** What is measured of training in several processes. */
import { namedConfig, type ViTConfig } from '@vitral/core'

export interface ParallelCase {
  summary: string
  ranks: number
  models: readonly { title: string; config: ViTConfig; imagesEach: number }[]
  rounds: number
}

export const parallelCases: Readonly<Record<string, ParallelCase>> = {
  'data-parallel': {
    summary:
      'A training step (AdamW) in two processes of one thread beside one such process with the batch of one of them, beside two that send nothing, and how much of the sums the backward pass hides',
    ranks: 2,
    models: [
      { title: 'ViT-Ti/4 at 32×32', config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }), imagesEach: 64 },
      { title: 'ViT-B/16 at 224×224', config: namedConfig('vit-base-patch16-224', { numLabels: 1000 }), imagesEach: 4 },
      { title: 'ViT-B/16 at 224×224', config: namedConfig('vit-base-patch16-224', { numLabels: 1000 }), imagesEach: 8 },
    ],
    rounds: 5,
  },
}
