/** Loss scaling: keeps gradients that half precision would round to zero. */
import { unscale } from '@vitral/core/ops'
import type { GradientClip, Gradients } from '../optimizers/clip-gradients.ts'
import type { Optimizer } from '../optimizers/index.ts'
import { type Fields, number, resolveFields, wholeNumber } from '../recipe/kinds.ts'
import type { GradScalerOptions } from '../recipe/types.ts'

const floats = 'a number above 0 that float32 holds'

/** Options of a GradScaler. */
export const gradScalerFields: Fields<GradScalerOptions> = {
  initScale: number(floats, { above: 0 })
    .refine(scale => Math.fround(scale) > 0 && Math.fround(scale) < Infinity, floats)
    .default(65536)
    .describe('Scale of the first step.'),
  growthFactor: number('a number above 1', { above: 1 })
    .default(2)
    .describe('Factor of the scale after growthInterval good steps in a row.'),
  backoffFactor: number('a number between 0 and 1', { above: 0, below: 1 })
    .default(0.5)
    .describe('Factor of the scale after a step that overflowed.'),
  growthInterval: wholeNumber(1).default(2000).describe('Good steps in a row after which the scale grows.'),
}

/** What a scaler must remember to go on exactly; torch's names. */
export interface GradScalerState {
  /** Factor of the loss. */
  scale: number
  /** Good steps since the scale changed. */
  growthTracker: number
}

/**
 * Scales the loss before the backward pass and its gradients back after it, leaves out a step with a gradient that is
 * infinite or not a number, and finds the scale by trial. torch.cuda.amp.GradScaler, with its algorithm and defaults.
 * bfloat16 has float32's range and needs none.
 *
 * @example
 * const scaler = new GradScaler()
 * const scaled = autocast({}, () => model.valueAndGrads(pixelValues, labels, { gradientScale: scaler.scale }))
 * const grads = await scaler.unscale(scaled.grads)
 * scaler.step(optimizer, grads)
 * scaler.update()
 */
export class GradScaler {
  readonly #options: Required<GradScalerOptions>
  #scale: number
  #growthTracker = 0
  #foundNonFinite = false

  /** A scaler at its first scale. @throws naming the option that cannot be used */
  constructor(options: GradScalerOptions = {}) {
    this.#options = resolveFields('GradScaler: ', gradScalerFields, options)
    this.#scale = Math.fround(this.#options.initScale)
  }

  /** What the loss's gradient is to be multiplied by; float32. */
  get scale(): number {
    return this.#scale
  }

  /** Whether the gradients last unscaled overflowed. */
  get foundNonFinite(): boolean {
    return this.#foundNonFinite
  }

  /** The gradients of the loss itself; those given are freed. */
  async unscale(scaled: Gradients): Promise<Gradients> {
    const names = Object.keys(scaled)
    const { gradients, foundNonFinite } = unscale(Object.values(scaled), 1 / this.#scale)
    for (const gradient of Object.values(scaled)) gradient.dispose()
    this.#foundNonFinite = (await foundNonFinite.data())[0] !== 0
    foundNonFinite.dispose()
    return Object.fromEntries(names.map((name, i) => [name, gradients[i] as Gradients[string]]))
  }

  /**
   * Updates the parameters, unless the gradients overflowed.
   *
   * @returns whether it did
   */
  step(optimizer: Optimizer, grads: Gradients, clip?: GradientClip): boolean {
    if (!this.#foundNonFinite) optimizer.step(grads, clip)
    return !this.#foundNonFinite
  }

  /** Sets the scale of the next step; once after each. */
  update(): void {
    const { growthFactor, backoffFactor, growthInterval } = this.#options
    if (this.#foundNonFinite) {
      this.#scale = Math.fround(this.#scale * backoffFactor)
      this.#growthTracker = 0
    } else if (++this.#growthTracker === growthInterval) {
      const grown = Math.fround(this.#scale * growthFactor)
      if (grown < Infinity) this.#scale = grown
      this.#growthTracker = 0
    }
    this.#foundNonFinite = false
  }

  /** What the scaler must remember. */
  state(): GradScalerState {
    return { scale: this.#scale, growthTracker: this.#growthTracker }
  }

  /** Goes on from a saved state. */
  load({ scale, growthTracker }: GradScalerState): void {
    this.#scale = scale
    this.#growthTracker = growthTracker
  }
}
