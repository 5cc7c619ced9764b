/** The number format in which an op's result is written. */
import { checkChoice } from './arguments.ts'

/**
 * 'compute': the format that the products which read the result round it to. Under autocast that is bfloat16, which a
 * backend may keep, in half the memory. The products' bits do not depend on it.
 */
export type OutputDtype = 'float32' | 'compute'

export interface OutputDtypeOption {
  /** 'compute' for a result that nothing but products read. @default 'float32' */
  outputDtype?: OutputDtype
}

/** @throws naming the op, when there is no such format */
export const checkOutputDtype = (op: string, outputDtype: string): void =>
  checkChoice(op, 'outputDtype', outputDtype, ['float32', 'compute'] satisfies OutputDtype[])
