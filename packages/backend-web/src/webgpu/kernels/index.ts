/** All kernels of the backend `webgpu` that are not tfjs's. */
import type { WebgpuKernel } from '../kernel.ts'
import { gradNorm } from './grad-norm.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { optimizerStep } from './optimizer-step.ts'
import { unscale } from './unscale.ts'

export const kernels: readonly WebgpuKernel[] = [layerNorm, layerNormGrad, gradNorm, unscale, optimizerStep]
