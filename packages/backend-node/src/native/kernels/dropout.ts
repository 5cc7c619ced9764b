import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, kernel } from '../kernel.ts'
import { type DropAttributes, dropRows } from './drops.ts'

interface Attributes {
  probability: number
  seed: number
}

const dropsOfElements = ({ probability, seed }: Attributes): DropAttributes => ({
  dropoutProbability: probability,
  dropoutSeed: seed,
  dropPathProbability: 0,
  dropPathSeed: 0,
})

export const dropout: KernelConfig = kernel<{ x: TensorInfo }, Attributes>('VitralDropout', (backend, { x }, attrs) =>
  dropRows(backend, x, dropsOfElements(attrs)),
)

export const dropoutGrad: KernelConfig = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralDropoutGrad',
  (backend, { dy }, attrs) => attrs.wanted.map(() => dropRows(backend, dy, dropsOfElements(attrs))),
)
