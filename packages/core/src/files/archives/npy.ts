/** NumPy's .npy: a header of a dtype and a shape, and the numbers. Source: numpy.lib.format. */
import { elementsOf } from '../../sizes.ts'
import { shortText } from '../../text.ts'
import type { Dtype } from '../safetensors/dtypes.ts'
import { rowMajor } from './array-weights.ts'

/** \x93NUMPY */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

const dtypes: Readonly<Record<string, Dtype>> = { '<f4': 'F32', '<f2': 'F16', '<f8': 'F64', '<i4': 'I32', '<i8': 'I64' }

export interface NpyHeader {
  dtype: Dtype
  shape: number[]
  strides: number[]
  /** Where the numbers begin. */
  begin: number
}

/**
 * What an array's header says.
 *
 * @param bytes the whole member
 * @param source what errors call it
 * @throws when it is no array, cut off, or of no numbers: an array of Python objects is a pickle
 */
export function readNpyHeader(bytes: Uint8Array, source: string): NpyHeader {
  const version = bytes[6] ?? 0
  if (!MAGIC.every((byte, i) => bytes[i] === byte) || version < 1 || version > 3)
    throw new Error(`${source} is no array of NumPy's; expected the versions 1 to 3 of .npy.`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lengthBytes = version === 1 ? 2 : 4
  if (bytes.length < 8 + lengthBytes) throw new Error(`${source} is cut off.`)
  const begin = 8 + lengthBytes + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  const header = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, begin))
  const descr = /'descr': '([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order': (True|False)/.exec(header)?.[1]
  const sizes = /'shape': \(([\d, ]*)\)/.exec(header)?.[1]
  if (descr === undefined || !Object.hasOwn(dtypes, descr) || order === undefined || sizes === undefined)
    throw new Error(
      `${source} is an array of ${shortText(header.trim())}; expected numbers of ${Object.keys(dtypes).join(', ')}.`,
    )
  const shape = sizes.split(',').flatMap(size => (size.trim() === '' ? [] : [Number(size)]))
  const dtype = dtypes[descr] as Dtype
  if (elementsOf(shape) * Number(descr.slice(2)) !== bytes.length - begin)
    throw new Error(
      `${source} of shape [${shape}] has ${bytes.length - begin} bytes of numbers; it is cut off or damaged.`,
    )
  return { dtype, shape, strides: order === 'True' ? rowMajor(shape.toReversed()).reverse() : rowMajor(shape), begin }
}
