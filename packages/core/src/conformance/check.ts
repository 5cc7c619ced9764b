/**
 * One call that checks an op on the current backend: its value, with and without a tape, and every gradient against
 * float64 loops, each gradient also when it alone is wanted and when it alone is not, and that no tensor is left over.
 */
import { env, memory, mul, sum, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import { autocast } from '../tape/autocast.ts'
import { normalStream } from '../tape/random.ts'
import { valueAndGrads } from '../tape/value-and-grads.ts'

/** One thing to try; `run` throws when the backend is wrong. */
export interface ConformanceCase {
  /** `op: shape, variant`. */
  name: string
  /** Computes the case on the current backend. */
  run: () => Promise<void>
}

/** An input's values, already rounded to float32, so that the reference computes with what the backend gets. */
export interface Values {
  shape: number[]
  data: Float64Array
  dtype?: 'float32' | 'int32'
}

export type Arrays<Name extends string> = Record<Name, Float64Array>

export interface OpCase<Name extends string> {
  name: string
  inputs: Record<Name, Values>
  outputShape: readonly number[]
  /** The op on the backend under test. */
  run: (inputs: Record<Name, Tensor>) => Tensor
  /** The op and its gradients, in plain loops over float64; `dy` has the output's shape. */
  forward: (inputs: Arrays<Name>) => Float64Array
  backward: (inputs: Arrays<Name>, dy: Float64Array) => Partial<Arrays<Name>>
}

/**
 * How far a backend may be off: 2e-5 of the element's own size plus the tensor's typical size (root mean square).
 *
 * Float32 rounds each operation by 6e-8 relative. The longest products here add 1,601 terms, whose errors accumulate as
 * the root of their number, to about 2.4e-6; exponentials and erf of GPUs and of tfjs's cpu add up to 1e-5.
 * An error in one element stands out against the typical size of its neighbours however large others are.
 */
export const TOLERANCE = 2e-5

/** Normal numbers, rounded to float32. */
export function randomValues(shape: number[], seed: number, scale = 1): Values {
  const next = normalStream(seed)
  const size = elementsOf(shape)
  return { shape, data: Float64Array.from({ length: size }, () => Math.fround(next() * scale)) }
}

/**
 * As many shapes as ViT-B/16 has parameters that train: ops on any number of tensors must take so many, although a GPU
 * binds eight at a time. All but every eighth are small.
 */
export const shapesOfModel: readonly number[][] = Array.from({ length: 152 }, (_, i) =>
  i % 8 === 0 ? [i + 1, 17] : [(i % 5) + 1, 3],
)

/** The nearest numbers of 8 significant bits, ties to even, as bfloat16 holds them. */
export function toBfloat16({ shape, data }: Values): Values {
  const bits = new Uint32Array(Float32Array.from(data).buffer).map(b => b + 0x7fff + ((b >>> 16) & 1)) // wraps at 2^32
  return { shape, data: Float64Array.from(new Float32Array(bits.map(b => b & 0xffff0000).buffer)) }
}

/** Makes a case of an op's check under autocast, in each of these dtypes. */
export const halfCases = <Name extends string>(
  spec: OpCase<Name>,
  dtypes: readonly ('bfloat16' | 'float16')[] = ['bfloat16', 'float16'],
): ConformanceCase[] => dtypes.map(dtype => halfCase(spec, dtype))

/**
 * The factors are numbers that bfloat16 holds, and so does float16 but for the smallest, so that rounding them changes
 * nothing and the float64 reference and its tolerance hold as they are.
 */
function halfCase<Name extends string>(spec: OpCase<Name>, dtype: 'bfloat16' | 'float16'): ConformanceCase {
  const inputs = Object.fromEntries(
    Object.entries<Values>(spec.inputs).map(([name, values]) => [name, toBfloat16(values)]),
  ) as Record<Name, Values>
  const run = (given: Record<Name, Tensor>) => autocast({ dtype }, () => spec.run(given))
  return opCase({ ...spec, name: `${spec.name}, ${dtype}`, inputs, run })
}

/** Makes a case of an op's check. */
export function opCase<Name extends string>(spec: OpCase<Name>): ConformanceCase {
  return { name: spec.name, run: () => withoutLeak(() => checkOp(spec)) }
}

/** Runs `f` with tfjs's own leak check on, and requires that it leaves no tensor behind. */
export async function withoutLeak(f: () => Promise<void>): Promise<void> {
  const before = memory().numTensors
  const isTest = env().getBool('IS_TEST')
  env().set('IS_TEST', true)
  try {
    await f()
  } finally {
    env().set('IS_TEST', isTest)
  }
  const left = memory().numTensors - before
  if (left !== 0) throw new Error(`${left} tensors were left over`)
}

/** Requires the tensor to have the expected shape and values; frees it. */
export async function expectClose(
  actual: Tensor,
  shape: readonly number[],
  expected: ArrayLike<number>,
  what: string,
): Promise<void> {
  const values = await actual.data()
  actual.dispose()
  if (actual.dtype !== 'float32' || actual.shape.join() !== shape.join() || values.length !== expected.length)
    throw new Error(
      `${what} is ${actual.dtype} [${actual.shape}] of ${values.length} elements; expected float32 [${shape}]`,
    )
  let squares = 0
  for (let i = 0; i < expected.length; i++) squares += (expected[i] as number) ** 2
  const typical = Math.sqrt(squares / Math.max(1, expected.length))
  for (let i = 0; i < expected.length; i++) {
    const [is, should] = [values[i] as number, expected[i] as number]
    if (!(Math.abs(is - should) <= TOLERANCE * (Math.abs(should) + typical) + 1e-30))
      throw new Error(`${what} is ${is} at element ${i} of [${shape}]; expected ${should}`)
  }
}

export function toTensor({ shape, data, dtype = 'float32' }: Values): Tensor {
  return tensor(dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data), shape, dtype)
}

async function checkOp<Name extends string>(spec: OpCase<Name>): Promise<void> {
  const { inputs, outputShape, run, forward, backward } = spec
  const names = Object.keys(inputs) as Name[]
  const arrays = Object.fromEntries(names.map(name => [name, inputs[name].data])) as Arrays<Name>
  const tensors = Object.fromEntries(names.map(name => [name, toTensor(inputs[name])])) as Record<Name, Tensor>
  // A random upstream gradient, so that one in the wrong place shows; a factor of products, too.
  const dy = toBfloat16(randomValues([...outputShape], 77))
  const upstream = toTensor(dy)
  try {
    const value = forward(arrays)
    const expected = backward(arrays, dy.data)
    const withGradient = Object.keys(expected) as Name[]
    const check = async (wanted: Name[]) => {
      const underTape = () => {
        const output = run(tensors)
        return { value: sum(mul(output, upstream)), aux: output }
      }
      const { aux, ...result } = valueAndGrads<Tensor>(
        underTape,
        wanted.map(name => tensors[name]),
      )
      result.value.dispose()
      await expectClose(aux, outputShape, value, 'the value under a tape')
      for (const [i, name] of wanted.entries())
        await expectClose(
          result.grads[i] as Tensor,
          inputs[name].shape,
          expected[name] as Float64Array,
          `the gradient of ${name}, with those of ${wanted} wanted,`,
        )
    }
    await expectClose(
      tidy(() => run(tensors)),
      outputShape,
      value,
      'the value',
    )
    await check(withGradient)
    if (withGradient.length > 1) for (const name of withGradient) await check([name])
    if (withGradient.length > 2)
      for (const name of withGradient) await check(withGradient.filter(other => other !== name))
  } finally {
    for (const input of [...names.map(name => tensors[name]), upstream]) input.dispose()
  }
}
