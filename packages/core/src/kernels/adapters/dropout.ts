import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, kernel } from '../kernel.ts'
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

export const dropout: BackendKernel = kernel<{ x: TensorInfo }, Attributes>('VitralDropout', (backend, { x }, attrs) =>
  dropRows(backend, x, dropsOfElements(attrs)),
)

export const dropoutGrad: BackendKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralDropoutGrad',
  (backend, { dy }, attrs) => attrs.wanted.map(() => dropRows(backend, dy, dropsOfElements(attrs))),
)
