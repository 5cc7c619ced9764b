/** The transformer encoder: the stack of layers. */
import { type Tensor3D, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import type { Grid } from '../ops/index.ts'
import { checkpoint } from '../tape/checkpoint.ts'
import type { ViTConfig } from './config.ts'
import { layerDrops, noDrops } from './drops.ts'
import type { ForwardPass, LayerPass } from './forward-pass.ts'
import { type LayerStep, layerSteps } from './fused.ts'
import { ViTLayer } from './layer.ts'
import type { ParameterScope } from './parameter-scope.ts'

export interface EncoderResult {
  lastHiddenState: Tensor3D
  /** Embeddings first, then the output of each layer; when the pass asks for it. */
  hiddenStates?: Tensor3D[]
  /** [B, H, N, N] of each layer; when the pass asks for it. */
  attentions?: Tensor4D[]
}

export class ViTEncoder {
  readonly #config: ViTConfig
  readonly #layers: readonly ViTLayer[]

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    const sharedBias = config.relativePositionBias === 'shared' ? parameters.scope('relative_position_bias') : undefined
    this.#layers = Array.from(
      { length: config.numHiddenLayers },
      (_, i) => new ViTLayer(config, parameters.scope(`layer.${i}`), sharedBias),
    )
  }

  /**
   * [B, N, C] → [B, N, C], or [B, 1, C] where the pass wants the class token alone. Takes `embeddings` over: freed once
   * used, unless it was asked for as a hidden state.
   *
   * @param grid rows and columns of the patches
   */
  forward(embeddings: Tensor3D, pass: ForwardPass, grid: Grid): EncoderResult {
    const hiddenStates = [embeddings]
    const attentions: Tensor4D[] = []
    let x = embeddings
    const steps = layerSteps(this.#layers, this.#config, pass)
    for (const [i, step] of steps.entries()) {
      const { output, probabilities } = runStep(step, x, pass, {
        grid,
        drops: pass.training ? layerDrops(this.#config, pass.seed, i) : noDrops,
        classTokenOnly: pass.classTokenOnly && i === steps.length - 1,
      })
      for (const made of probabilities) attentions.push(made)
      if (pass.outputHiddenStates) hiddenStates.push(output)
      else x.dispose()
      x = output
    }
    return {
      lastHiddenState: x,
      ...(pass.outputHiddenStates && { hiddenStates }),
      ...(pass.outputAttentions && { attentions }),
    }
  }

  /** Frees what inference keeps beside the parameters. */
  dispose(): void {
    for (const layer of this.#layers) layer.dispose()
  }
}

/** Runs a step, and frees there and then what of it neither the result nor the tape needs. */
function runStep(
  step: LayerStep,
  x: Tensor3D,
  { gradientCheckpointing, outputAttentions }: ForwardPass,
  pass: LayerPass,
): { output: Tensor3D; probabilities: Tensor4D[] } {
  if (gradientCheckpointing) {
    const run = (input: Tensor3D) => tidy(() => step.forward(input, pass))
    return { output: checkpoint(run, x, step.parameters()), probabilities: [] }
  }
  return tidy(() => {
    const probabilities: Tensor4D[] = []
    const onProbabilities = outputAttentions ? (made: Tensor4D) => probabilities.push(made) : undefined
    const output = step.forward(x, { ...pass, onProbabilities })
    return { output, probabilities }
  })
}
