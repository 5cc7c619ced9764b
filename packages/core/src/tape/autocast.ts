/** Mixed precision: the ops that compute in less than float32, and the time for which they do. */
import { engine } from '@tensorflow/tfjs-core'
import { type ComputeDtype, during, scopes, type TrainingDtype } from './state.ts'

const dtypes: readonly ComputeDtype[] = ['float32', 'bfloat16', 'float16', 'int8']

/** Options of autocast. */
export interface AutocastOptions {
  /** Dtype of the matrix products. @default 'bfloat16' */
  dtype?: ComputeDtype
  /** Whether products are computed in that dtype; false is as outside of autocast. @default true */
  enabled?: boolean
}

/** The precision that an op of the half class takes now. */
export const computeDtype = (): ComputeDtype => scopes.computeDtype

/** Those whose kernels multiply bytes. */
const backendsWithInt8: readonly string[] = ['native', 'wasm']

/** The one whose kernels round to half precision. */
const backendWithFloat16 = 'webgpu'

/** Backends that have said that they do not. */
const warned = new Set<string>()

function hasFloat16(backendName: string): boolean {
  if (backendName === backendWithFloat16) return true
  if (!warned.has(backendName))
    console.warn(
      `The backend '${backendName}' has no float16 products and computes them in float32; take '${backendWithFloat16}', or another precision.`,
    )
  warned.add(backendName)
  return false
}

/**
 * The precision that an op of the half class takes now, where it has a gradient.
 *
 * @throws under int8
 */
export function trainingDtype(): TrainingDtype {
  if (scopes.computeDtype === 'int8')
    throw new Error(
      "Nothing trains in int8: it has no gradients. Train in 'float32', 'bfloat16' or 'float16', and infer in 'int8'.",
    )
  return scopes.computeDtype
}

/**
 * Runs `f`; in it, ops of the half class round the factors of their products to bfloat16: the patch embedding, the
 * projections of attention, its scores and sums, and the other linear layers. Everything else stays float32: layer norm,
 * softmax, GELU, the loss, and the parameters themselves. A gradient takes the precision of its forward op, wherever it
 * is computed, so that only the forward pass need be inside.
 *
 * Counterpart of `torch.autocast`. bfloat16 has float32's range, so that no loss scaling is needed; its products have
 * 8 significant bits. The activations of an encoder layer that products alone read are bfloat16, too: its norms, queries,
 * keys and values, attention's result and the hidden state of the feed-forward network. A backend whose kernels do not know
 * bfloat16 (wasm, cpu, webgpu) computes in float32.
 *
 * With 'int8', for inference on the backend `native` alone, the projections of attention and the other linear layers
 * multiply bytes: a weight is rounded to -64…64 over the range of each output, once, and their input to 0…255 over the
 * range of each token, as it comes. Everything else is float32.
 *
 * With 'float16', on the backend `webgpu` alone, weights and the activations that bfloat16 would round are rounded to
 * half precision, of 11 significant bits, and kept so in half the bytes; sums and upstream gradients are float32. What is
 * beyond 65504 becomes infinite: train with a `GradScaler`. Other backends say in one line that they compute in float32.
 *
 * @param f must be synchronous: the mode ends when it returns
 * @throws when the dtype is unknown, when it is int8 and the backend neither `native` nor `wasm` or something trains, or when
 *   `f` returns a promise
 * @example
 * const { logits } = autocast({ dtype: 'bfloat16' }, () => model.forward(pixelValues))
 */
export function autocast<T>({ dtype = 'bfloat16', enabled = true }: AutocastOptions, f: () => T): T {
  if (!dtypes.includes(dtype))
    throw new Error(`autocast was given dtype '${dtype}'; it knows ${dtypes.map(name => `'${name}'`).join(', ')}.`)
  const { backendName } = engine()
  if (enabled && dtype === 'int8' && !backendsWithInt8.includes(backendName))
    throw new Error(
      `The backend '${backendName}' has no int8 products; take ${backendsWithInt8.map(name => `'${name}'`).join(' or ')}, or another precision.`,
    )
  const inFloat32 = !enabled || (dtype === 'float16' && !hasFloat16(backendName))
  const result = during('computeDtype', inFloat32 ? 'float32' : dtype, f)
  if (result instanceof Promise)
    throw new Error('autocast was given an asynchronous function; its mode would end before the work does.')
  return result
}
