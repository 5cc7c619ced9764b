/**
 * The backward walk: the gradients of a scalar, computed over tfjs's own tape.
 *
 * Unlike `tf.grads` it frees every gradient and saved tensor as soon as its last use has gone by (about half the
 * buffers), computes only the gradients that are asked for and records only what leads to them, and tells when one is
 * final.
 */
import {
  add,
  clone,
  engine,
  onesLike,
  type Scalar,
  type Tensor,
  type TensorContainer,
  tidy,
} from '@tensorflow/tfjs-core'
import { isOp } from './op.ts'
import { restoreSaved } from './recompute.ts'
import { Recording } from './recording.ts'
import { during, NO_TAPE, type Tape } from './state.ts'
import '#stock-gradients'

/** Options of valueAndGrads. */
export interface ValueAndGradsOptions {
  /** Called with each of `xs` once its gradient is final, in the order of the backward pass; may start to send it. */
  onGradient?: (x: Tensor, gradient: Tensor) => void
  /**
   * The gradient of something beyond, with respect to the value, of its shape: then `f` need not return a scalar. As
   * `gradient` of torch's `backward`. @default 1
   */
  dy?: Tensor
  /** What errors call the `xs`, in their order. @default 'xs[0]', … */
  names?: readonly string[]
}

/** What valueAndGrads gives; the caller disposes all of it. */
export interface ValueAndGrads<Aux extends TensorContainer> {
  /** What `f` returned: a scalar, unless `dy` was given. */
  value: Scalar
  /** One for each of `xs`, of its shape; the caller's to dispose, like `value` and `aux`. */
  grads: Tensor[]
  /** What the function returned beside its value. */
  aux: Aux
}

type TapeNode = Tape[number]

/** A node on a path from the xs to the value, with those of its inputs that depend on the xs. */
interface Step {
  node: TapeNode
  inputs: [name: string, tensor: Tensor][]
}

/**
 * The value of a scalar function and its gradients.
 *
 * @param f computes the scalar from `xs` with tensor ops; may return more tensors to keep as `aux`.
 * @param xs float32 tensors or variables, each used by `f`.
 * @throws when called inside another tape, when `f` returns no scalar, and when it does not depend on one of `xs`.
 * @example
 * const { value, grads } = valueAndGrads(() => sum(square(x)), [x]) // grads[0] is 2·x
 */
export function valueAndGrads<Aux extends TensorContainer = undefined>(
  f: () => Tensor | { value: Tensor; aux: Aux },
  xs: readonly Tensor[],
  options: ValueAndGradsOptions = {},
): ValueAndGrads<Aux> {
  const { dy } = options
  return tidy(() => {
    const { tape, value, aux } = record(f, xs, dy)
    try {
      const grads = walk(tape, value, dy ? clone(dy) : onesLike(value), xs, options)
      return { value, grads, aux } as ValueAndGrads<Aux> & TensorContainer
    } finally {
      for (const node of tape) for (const tensor of node.saved ?? []) tensor.dispose()
    }
  }) as ValueAndGrads<Aux>
}

function record<Aux extends TensorContainer>(
  f: () => Tensor | { value: Tensor; aux: Aux },
  xs: readonly Tensor[],
  dy: Tensor | undefined,
): { tape: Tape; value: Tensor; aux: Aux } {
  const { state } = engine()
  if (state.gradientDepth > 0)
    throw new Error('valueAndGrads was called while another gradient is being recorded; gradients cannot be nested.')
  state.activeTape = []
  state.gradientDepth++
  const tape = state.activeTape
  try {
    const run = () => tidy(f as () => TensorContainer)
    const result = during('recording', new Recording(tape, xs), run) as Tensor | { value: Tensor; aux: Aux }
    const { value, aux } = 'value' in result ? result : { value: result, aux: undefined as Aux }
    const expected = dy ? `of dy's shape [${dy.shape}]` : 'scalar'
    if ((dy ? `${value.shape}` !== `${dy.shape}` : value.size !== 1) || value.dtype !== 'float32')
      throw new Error(
        `valueAndGrads expects f to return a float32 ${expected}, but it returned ${value.dtype} of shape [${value.shape}].`,
      )
    return { tape, value, aux }
  } catch (error) {
    for (const node of tape) for (const tensor of node.saved ?? []) tensor.dispose()
    throw error
  } finally {
    state.gradientDepth--
    state.activeTape = NO_TAPE
  }
}

function walk(
  tape: Tape,
  value: Tensor,
  upstream: Tensor,
  xs: readonly Tensor[],
  { onGradient, names }: ValueAndGradsOptions,
): Tensor[] {
  const leaves = new Set(xs.map(x => x.id))
  const path = pathBetween(tape, leaves, value)
  const uses = new Map<number, number>()
  for (const { inputs } of path) for (const [, x] of inputs) uses.set(x.id, (uses.get(x.id) ?? 0) + 1)
  const unused = xs.findIndex(x => x.id !== value.id && !uses.has(x.id))
  if (unused >= 0)
    throw new Error(
      `The value does not depend on ${names?.[unused] ?? `xs[${unused}]`} (shape [${xs[unused]?.shape}]), so it has no gradient.`,
    )

  const grads = new Map<number, Tensor>([[value.id, upstream]])
  for (const { node, inputs } of path) {
    restoreSaved(node.saved ?? [])
    const dxs = backward(node, inputs, grads)
    inputs.forEach(([, x], i) => {
      const partial = grads.get(x.id)
      const dx = dxs[i] as Tensor
      grads.set(x.id, partial ? add(partial, dx) : dx)
      if (partial) {
        partial.dispose()
        dx.dispose()
      }
      uses.set(x.id, (uses.get(x.id) as number) - 1)
      if (uses.get(x.id) === 0 && leaves.has(x.id)) onGradient?.(x, grads.get(x.id) as Tensor)
    })
    for (const output of node.outputs) {
      if (leaves.has(output.id)) continue
      grads.get(output.id)?.dispose()
      grads.delete(output.id)
    }
    for (const tensor of node.saved ?? []) tensor.dispose()
  }
  return xs.map(x => grads.get(x.id) as Tensor)
}

/** The nodes that lead from the leaves to the value, last first. */
function pathBetween(tape: Tape, leaves: ReadonlySet<number>, value: Tensor): Step[] {
  const dependent = new Set(leaves)
  const forward: Step[] = []
  for (const node of tape) {
    const inputs = Object.entries(node.inputs).filter(([, x]) => dependent.has(x.id))
    if (inputs.length === 0) continue
    for (const output of node.outputs) dependent.add(output.id)
    forward.push({ node, inputs })
  }
  const needed = new Set([value.id])
  const path: Step[] = []
  for (const step of forward.reverse()) {
    if (!step.node.outputs.some(output => needed.has(output.id))) continue
    for (const [, x] of step.inputs) needed.add(x.id)
    path.push(step)
  }
  return path
}

/** The gradients of one node's inputs, in their order. */
function backward(node: TapeNode, inputs: Step['inputs'], grads: ReadonlyMap<number, Tensor>): Tensor[] {
  const { gradient } = node
  if (!gradient) throw new Error(`The op ${node.kernelName} has no gradient in tfjs-core; compute it outside the tape.`)
  const dys = node.outputs.map(output => grads.get(output.id))
  const some = dys.find(dy => dy !== undefined)
  const ours = isOp(node.kernelName)
  return tidy(() => {
    // For an output nobody used tfjs would make a tensor of zeros; our gradient kernels ignore those of side outputs.
    const gradients = during('wantedGradients', ours ? inputs.map(([name]) => name) : undefined, () =>
      gradient((ours ? dys.map(dy => dy ?? some) : dys) as Tensor[]),
    )
    return inputs.map(([name]) => {
      const thunk = gradients[name]
      if (!thunk) throw new Error(`The op ${node.kernelName} has no gradient for its input '${name}'.`)
      const dx = tidy(thunk)
      return dys.includes(dx) ? clone(dx) : dx
    })
  })
}
