/** How an op's result is kept until others read it. */
import { checkChoice } from './check.ts'

/**
 * 'computed': as the products that read it round it, under autocast to bfloat16, in which a backend may keep it, in half
 * the memory. The products' bits do not depend on it.
 */
export type Stored = 'float32' | 'computed'

export interface StoredOption {
  /** 'computed' for a result that nothing but products read. @default 'float32' */
  stored?: Stored
}

/** @throws naming the op, when a result could not be stored so */
export const checkStored = (op: string, stored: string): void =>
  checkChoice(op, 'stored', stored, ['float32', 'computed'] satisfies Stored[])
