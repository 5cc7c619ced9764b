/** All kernels of the backend `webgpu` that are not tfjs's. */
import type { WebgpuKernel } from '../kernel.ts'
import { crossEntropy, crossEntropyGrad } from './cross-entropy.ts'
import { dropout, dropoutGrad } from './dropout.ts'
import { embedTokens, embedTokensGrad } from './embed-tokens.ts'
import { gelu, geluGrad } from './gelu.ts'
import { gradNorm } from './grad-norm.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { maskTokens, maskTokensGrad } from './mask-tokens.ts'
import { optimizerStep } from './optimizer-step.ts'
import { selectToken, selectTokenGrad } from './select-token.ts'
import { unscale } from './unscale.ts'

export const kernels: readonly WebgpuKernel[] = [
  embedTokens,
  embedTokensGrad,
  maskTokens,
  maskTokensGrad,
  layerNorm,
  layerNormGrad,
  gelu,
  geluGrad,
  dropout,
  dropoutGrad,
  selectToken,
  selectTokenGrad,
  crossEntropy,
  crossEntropyGrad,
  gradNorm,
  unscale,
  optimizerStep,
]
