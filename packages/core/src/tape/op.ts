/**
 * The op interface: how Vitral's ops are added to tfjs-core's registry of kernels and gradients.
 *
 * An op runs the current backend's kernel if that backend has one, else its reference composition of stock ops, at tape
 * level, so that the stock gradients apply: every tfjs backend runs every op, and a backend with kernels runs it faster.
 * This is the only file that touches tfjs's untyped maps, so that no other file needs a cast.
 */
import {
  engine,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core'
import { computeDtype, trainingDtype } from './autocast.ts'
import { noGrad } from './no-grad.ts'
import { saveOrigins } from './recompute.ts'
import { wantsGradient } from './recording.ts'
import { scopes } from './state.ts'

/** Inputs by name; an optional input may be undefined. */
export type Inputs = { [name: string]: Tensor | undefined }
/** What tfjs passes to kernels unchanged. No `undefined`: an absent option has a value that says so. */
export type Attrs = { [name: string]: number | string | boolean | number[] | string[] }

/** A kernel, and the inputs of its gradient kernel. */
interface Differentiable<I extends Inputs> {
  /** Kernel name, `Vitral…`; the gradient kernel is this name + `Grad`. */
  kernel: string
  /** Inputs the gradient needs. Never an optional one: tfjs's tape cannot save an absent tensor. */
  save: readonly (keyof I & string)[]
  /** Whether the gradient needs the output; it reads it as input `output`. @default false */
  saveOutput?: boolean
  /** Further outputs that a kernel makes under a tape, for its gradient alone. */
  sideOutputs?: readonly string[]
  /** Whether it is of autocast's half class: its kernels get the attribute `dtype`, a `ComputeDtype`. @default false */
  half?: boolean
  /** Inputs that have a gradient. */
  gradients: readonly (keyof I & string)[]
}

export interface OpSpec<I extends Inputs, A extends Attrs> extends Differentiable<I> {
  /** The op in stock tfjs ops: the definition of what a kernel must compute. */
  reference: (inputs: I, attrs: A) => Tensor
}

const kernelNames = new Set<string>()

/** Whether a tape node of this kernel name belongs to one of our ops. */
export const isOp = (kernelName: string): boolean => kernelNames.has(kernelName)

/** Runs an op. Its caller, the op's own function, has checked the shapes and knows the result's rank. */
type RunOp<I, A> = <T extends Tensor>(inputs: I, attrs: A) => T

/** Defines a differentiable op and returns the function that runs it. */
export function defineOp<I extends Inputs, A extends Attrs>(spec: OpSpec<I, A>): RunOp<I, A> {
  const { kernel, reference } = spec
  const runKernel = differentiable<I, A>(spec)
  const forward = (inputs: I, attrs: A): Tensor =>
    hasKernel(kernel) ? runKernel(inputs, attrs) : tidy(() => reference(inputs, attrs))
  return <T extends Tensor>(inputs: I, attrs: A) => recordedIfWanted(inputs, () => forward(inputs, attrs)) as T
}

/** Runs `f`, without the tape where no gradient will be wanted of its result. */
const recordedIfWanted = (inputs: Inputs, f: () => Tensor): Tensor =>
  wantsGradient(Object.values(inputs)) ? f() : noGrad(f)

/** Registers the gradient, and returns what runs the kernel. */
function differentiable<I extends Inputs, A extends Attrs>(spec: Differentiable<I>): (inputs: I, attrs: A) => Tensor {
  const { kernel, save, saveOutput = false, sideOutputs = [], half = false, gradients } = spec
  kernelNames.add(kernel)
  const savedNames = [...save, ...(saveOutput ? ['output'] : []), ...sideOutputs]
  registerGradient({
    kernelName: kernel,
    inputsToSave: [...save],
    outputsToSave: [saveOutput, ...sideOutputs.map(() => true)],
    gradFunc: (dys, saved, attrs) => {
      const given = attrs.given as string[]
      const names = scopes.wantedGradients ?? given.filter(name => (gradients as readonly string[]).includes(name))
      const inputs: NamedTensorMap = { dy: Array.isArray(dys) ? (dys[0] as Tensor) : dys }
      saved.forEach((tensor, i) => {
        inputs[savedNames[i] as string] = tensor
      })
      // Run here, not in the thunks: tfjs gives each thunk a scope of its own, whose end would free the other outputs.
      const grads = run(`${kernel}Grad`, inputs, { ...attrs, wanted: [...names] })
      return Object.fromEntries(names.map((name, i) => [name, () => grads[i] as Tensor]))
    },
  })
  return (inputs, attrs) => {
    const given = present(inputs)
    // True inside a checkpoint, too, where the tape is off: a weight that trains is not worth packing.
    const training = engine().state.gradientDepth > 0
    const precision = half ? { dtype: training ? trainingDtype() : computeDtype() } : {}
    const [output, ...side] = run(kernel, given, { ...attrs, ...precision, given: Object.keys(given), training })
    for (const tensor of side) tensor.dispose() // the tape holds references of its own
    if (engine().isTapeOn()) saveOrigins(save.map(name => inputs[name]))
    return output as Tensor
  }
}

/** Defines an op without a gradient and with any number of outputs, and returns the function that runs it. */
export function defineStep<I extends Inputs, A extends Attrs>(
  kernel: string,
  reference: (inputs: I, attrs: A) => Tensor[],
): (inputs: I, attrs: A) => Tensor[] {
  return (inputs, attrs) =>
    hasKernel(kernel) ? run(kernel, present(inputs), attrs) : tidy(() => reference(inputs, attrs))
}

const fusionNames = new Set<string>()

/** Whether a kernel does what several ops do. */
export const isFusion = (kernelName: string): boolean => fusionNames.has(kernelName)

/** One kernel instead of several ops. */
export interface Fusion<I, A> {
  /** Whether it can run now: the backend has it, and a gradient is recorded or not, as the kernel needs it. */
  isAvailable(): boolean
  run: RunOp<I, A>
}

/**
 * Defines what a backend may do in one kernel instead of several ops, where no gradient is recorded: less time between
 * kernels, and less memory. The kernel gets the attribute `dtype`, a `ComputeDtype`, and must give the ops' bits.
 */
export function defineFusion<A extends Attrs>(kernel: string): Fusion<NamedTensorMap, A> {
  fusionNames.add(kernel)
  return {
    isAvailable: () => engine().state.gradientDepth === 0 && hasKernel(kernel),
    run: <T extends Tensor>(inputs: NamedTensorMap, attrs: A) =>
      run(kernel, inputs, { ...attrs, dtype: computeDtype() })[0] as T,
  }
}

/**
 * The same under a tape, with a gradient: a backend's one kernel, and its one gradient kernel, instead of several ops. They
 * get what those of an op get, and must give the ops' bits.
 */
export function defineFusedOp<I extends Inputs, A extends Attrs>(spec: Differentiable<I>): Fusion<I, A> {
  const { kernel } = spec
  fusionNames.add(kernel)
  fusionNames.add(`${kernel}Grad`)
  const runKernel = differentiable<I, A>(spec)
  return {
    isAvailable: () => engine().state.gradientDepth > 0 && hasKernel(kernel),
    run: <T extends Tensor>(inputs: I, attrs: A) => recordedIfWanted(inputs, () => runKernel(inputs, attrs)) as T,
  }
}

function hasKernel(kernel: string): boolean {
  return getKernel(kernel, engine().backendName) !== undefined
}

function run(kernel: string, inputs: NamedTensorMap, attrs: Attrs): Tensor[] {
  const outputs = engine().runKernel<Tensor | Tensor[]>(kernel, inputs, attrs as NamedAttrMap)
  return Array.isArray(outputs) ? outputs : [outputs]
}

/** tfjs's tape reads `.id` of every entry, so an absent input must be an absent key. */
function present(inputs: Inputs): NamedTensorMap {
  const given: NamedTensorMap = {}
  for (const [name, tensor] of Object.entries(inputs)) if (tensor !== undefined) given[name] = tensor
  return given
}
