/** Loss scaling: keeps gradients that half precision would round to zero. */
import { checkInteger } from '@vitral/core/check'
import { unscale } from '@vitral/core/ops'
import type { GradientClip, Gradients } from '../optimizers/clip-gradients.ts'
import type { Optimizer } from '../optimizers/index.ts'

export interface GradScalerOptions {
  /** @default 65536 */
  initScale?: number
  /** Factor of the scale after `growthInterval` good steps in a row. @default 2 */
  growthFactor?: number
  /** Factor of the scale after a step that overflowed. @default 0.5 */
  backoffFactor?: number
  /** @default 2000 */
  growthInterval?: number
}

/** What a scaler must remember to go on exactly; torch's names. */
export interface GradScalerState {
  scale: number
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

  /** @throws naming the option that cannot be used */
  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options
    this.#options = { initScale, growthFactor, backoffFactor, growthInterval }
    if (!(Math.fround(initScale) > 0 && Math.fround(initScale) < Infinity))
      throw new Error(`GradScaler: initScale is ${initScale}; expected a number above 0 that float32 holds.`)
    if (!(growthFactor > 1)) throw new Error(`GradScaler: growthFactor is ${growthFactor}; expected a number above 1.`)
    if (!(backoffFactor > 0 && backoffFactor < 1))
      throw new Error(`GradScaler: backoffFactor is ${backoffFactor}; expected a number between 0 and 1.`)
    checkInteger('GradScaler: growthInterval', growthInterval, 1)
    this.#scale = Math.fround(initScale)
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

  state(): GradScalerState {
    return { scale: this.#scale, growthTracker: this.#growthTracker }
  }

  load({ scale, growthTracker }: GradScalerState): void {
    this.#scale = scale
    this.#growthTracker = growthTracker
  }
}
