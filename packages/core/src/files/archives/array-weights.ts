/** Arrays of an archive as weights: those of a PyTorch checkpoint, and those of NumPy. */
import { elementsOf } from '../../sizes.ts'
import { shortText } from '../../text.ts'
import { bytesOf, type Dtype, type DtypeArray, viewAs } from '../safetensors/dtypes.ts'

/** Where an array is in an archive. */
export interface StoredArray {
  /** The member that holds it, and perhaps others. */
  member: string
  dtype: Dtype
  /** Elements of the member before it. */
  offset: number
  shape: number[]
  /** Elements between neighbours along each axis. */
  strides: number[]
}

/** Strides of rows one after the other. */
export const rowMajor = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => elementsOf(shape.slice(axis + 1)))

/**
 * The values of an array, in row-major order.
 *
 * @param bytes of its member, from where its data begin
 * @param source what errors call the archive
 * @throws when the array does not lie within the member
 */
export function valuesOf(name: string, array: StoredArray, bytes: Uint8Array, source: string): DtypeArray {
  const { dtype, offset, shape, strides } = array
  const count = elementsOf(shape)
  const last =
    count === 0 ? offset - 1 : shape.reduce((at, size, axis) => at + (size - 1) * (strides[axis] ?? 0), offset)
  const available = Math.floor(bytes.length / bytesOf(dtype))
  if (offset < 0 || strides.some(stride => stride < 0) || last >= available)
    throw new Error(
      `${source}: ${shortText(name)} of shape [${shape}] does not lie within its ${available} elements; the file is cut off or damaged.`,
    )
  const values = viewAs(dtype, bytes)
  if (strides.join() === rowMajor(shape).join()) return values.subarray(offset, offset + count)
  const copy = values.slice(0, count)
  for (let i = 0; i < count; i++) {
    let [rest, at] = [i, offset]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number
      at += (rest % size) * (strides[axis] as number)
      rest = Math.floor(rest / size)
    }
    copy[i] = values[at] as never
  }
  return copy
}
