/** Kernels that stand for several ops, beside those ops: for tests that both give the same bits. */
import {
  engine,
  getKernel,
  type KernelConfig,
  registerKernel,
  type Tensor4D,
  tensor4d,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import type { ViTForImageClassification } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { normalStream } from '@vitral/core/tape'

/** Takes the place of such kernels until `restore`, and counts their calls. */
export class FusedKernels<Name extends string> {
  readonly #originals: readonly KernelConfig[]
  readonly #counted: readonly KernelConfig[]
  /** Since the last `reset`. */
  readonly calls: Record<Name, number>

  /** @param kernels by the names that `calls` has: what tfjs calls them. */
  constructor(kernels: Record<Name, string>) {
    const named = Object.entries<string>(kernels).map(
      ([name, kernelName]) => [name as Name, getKernel(kernelName, 'native')] as const,
    )
    this.#originals = named.map(([, config]) => config)
    this.calls = Object.fromEntries(named.map(([name]) => [name, 0])) as Record<Name, number>
    this.#counted = named.map(([name, config]) => ({
      ...config,
      kernelFunc: params => {
        this.calls[name]++
        return config.kernelFunc(params)
      },
    }))
    this.#remove()
    this.#insert(this.#counted)
  }

  reset(): void {
    for (const name in this.calls) this.calls[name] = 0
  }

  /** What `f` gives, how often each kernel ran for it, and the same with every op on its own. */
  bothWays<T>(f: () => T): { fused: T; apart: T; calls: Record<Name, number> } {
    this.reset()
    const fused = f()
    const calls = { ...this.calls }
    this.#remove()
    try {
      return { fused, apart: f(), calls }
    } finally {
      this.#insert(this.#counted)
    }
  }

  restore(): void {
    this.#remove()
    this.#insert(this.#originals)
  }

  #insert(configs: readonly KernelConfig[]): void {
    for (const config of configs) registerKernel(config)
  }

  #remove(): void {
    for (const { kernelName, backendName } of this.#originals) unregisterKernel(kernelName, backendName)
  }
}

/** Pixels of 16×16 images. */
export function images(batch: number): Tensor4D {
  const next = normalStream(batch)
  return tensor4d(
    Float32Array.from({ length: batch * 3 * 16 * 16 }, () => next()),
    [batch, 3, 16, 16],
  )
}

/** Parameters that are zero or one in a fresh model hide what reads the wrong one. */
export function shaken(model: ViTForImageClassification): ViTForImageClassification {
  const next = normalStream(7)
  const native = engine().backend as KernelBackend
  for (const [, parameter] of model.parameters()) {
    const values = native.floatsInPlace(parameter)
    for (const [i, value] of values.entries()) values[i] = value + 0.2 * next()
  }
  return model
}
