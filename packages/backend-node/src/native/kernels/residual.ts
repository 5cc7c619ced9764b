import { type KernelConfig, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { type Backward, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  dropPathProbability: number
  seed: number
}

const samplesOf = ({ shape: [batch = 1, ...sample] }: TensorInfo): [batch: number, sampleSize: number] => [
  batch,
  util.sizeFromShape(sample),
]

export const residual: KernelConfig = kernel<Record<'x' | 'branch', TensorInfo>, Attributes>(
  'VitralResidual',
  (backend, { x, branch }, { dropPathProbability, seed }) => {
    const { info, values } = backend.allocate(x.shape)
    const [left, right] = [backend.floats(x), backend.floats(branch)]
    backend.addon.residual(...samplesOf(x), left, right, dropPathProbability, seed, values)
    return info
  },
)

/** The gradient of x is dy itself, and that of the branch too unless samples are dropped: shared, not copied. */
export const residualGrad: KernelConfig = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralResidualGrad',
  (backend, { dy }, attrs) => {
    const { dropPathProbability, seed } = attrs
    const gradients = new Gradients(backend, attrs)
    if (gradients.wants('x')) gradients.set('x', backend.share(dy))
    if (gradients.wants('branch') && dropPathProbability === 0) gradients.set('branch', backend.share(dy))
    else {
      const dBranch = gradients.floats('branch', dy.shape)
      if (dBranch) backend.addon.residualGrad(...samplesOf(dy), backend.floats(dy), dropPathProbability, seed, dBranch)
    }
    return gradients.all()
  },
)
