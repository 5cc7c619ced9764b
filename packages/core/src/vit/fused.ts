/**
 * Which layers run as one kernel: decided here alone. A backend may have all layers as one kernel for inference, or one
 * layer with its gradient for training; both give the bits of the layers' own ops.
 */
import type { Tensor3D, Variable } from '@tensorflow/tfjs-core'
import { encoder, encoderIsFused } from '../ops/fused/encoder.ts'
import { encoderLayer, encoderLayerIsFused } from '../ops/fused/encoder-layer.ts'
import { hasPlainLayers } from './architecture.ts'
import { attentionScale, type ViTConfig } from './config.ts'
import type { ForwardPass, LayerPass } from './forward-pass.ts'
import type { ViTLayer } from './layer.ts'

/** A layer, or a kernel that does the work of one or of all. */
export type LayerStep = Pick<ViTLayer, 'forward' | 'parameters'>

/** The steps in which this pass runs the layers: one for all, or one for each. */
export function layerSteps(layers: readonly ViTLayer[], config: ViTConfig, pass: ForwardPass): readonly LayerStep[] {
  if (!hasPlainLayers(config)) return layers
  const { training, outputAttentions, outputHiddenStates, classTokenOnly } = pass
  const onlyLastWanted = !training && !outputAttentions && !outputHiddenStates
  if (onlyLastWanted && layers.length > 0 && encoderIsFused()) return [new FusedLayers(layers, config)]
  if (outputAttentions || !encoderLayerIsFused()) return layers
  return layers.map((layer, i) => (classTokenOnly && i === layers.length - 1 ? layer : new FusedLayer(layer, config)))
}

class FusedLayers implements LayerStep {
  readonly #layers: readonly ViTLayer[]
  readonly #config: ViTConfig

  constructor(layers: readonly ViTLayer[], config: ViTConfig) {
    this.#layers = layers
    this.#config = config
  }

  forward(x: Tensor3D, { classTokenOnly }: LayerPass): Tensor3D {
    const tensors = this.#layers.map(layer => layer.tensors())
    return encoder(x, tensors, { ...kernelOptions(this.#config), classTokenOnly })
  }

  parameters(): Variable[] {
    return this.#layers.flatMap(layer => layer.parameters())
  }
}

class FusedLayer implements LayerStep {
  readonly #layer: ViTLayer
  readonly #config: ViTConfig

  constructor(layer: ViTLayer, config: ViTConfig) {
    this.#layer = layer
    this.#config = config
  }

  forward(x: Tensor3D, { drops }: LayerPass): Tensor3D {
    return encoderLayer(x, this.#layer.tensors(), { ...kernelOptions(this.#config), ...drops })
  }

  parameters(): Variable[] {
    return this.#layer.parameters()
  }
}

function kernelOptions(config: ViTConfig): { numHeads: number; scale: number; eps: number } {
  return { numHeads: config.numAttentionHeads, scale: attentionScale(config), eps: config.layerNormEps }
}
