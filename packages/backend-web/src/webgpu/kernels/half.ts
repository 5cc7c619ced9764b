/**
 * Half precision: 16 bits with 11 significant ones. Factors of products are rounded to it and kept so, two in a word; all that is
 * computed of them is float32. No feature of the device is needed, since WGSL packs and unpacks such words everywhere.
 */
import type { ComputeDtype } from '@vitral/core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import type { Autocast } from '@vitral/core/kernels/arguments'

/** What autocast asks of a kernel. */
export type Precision = Autocast<ComputeDtype>

/** Whether factors are rounded to half precision; in any other precision products are float32 here. */
export const inHalf = ({ dtype }: Precision): boolean => dtype === 'float16'

/** Whether a result, which products alone read, is written in half the bytes: its rows come in fours then. */
export const writesHalf = (attrs: Partial<OutputDtypeAttribute> & Precision, columns: number): boolean =>
  attrs.outputDtype === 'compute' && inHalf(attrs) && columns % 4 === 0
