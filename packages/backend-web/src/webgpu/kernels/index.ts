/** All kernels of the backend `webgpu` that are not tfjs's. */
import type { WebgpuKernel } from '../kernel.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'

export const kernels: readonly WebgpuKernel[] = [layerNorm, layerNormGrad]
