import { checkInteger } from '@vitral/core/check'
import type { Sampler } from './sampler.ts'

/** 0, 1, 2, … in every epoch (torch.utils.data.SequentialSampler). */
export function sequentialSampler(length: number): Sampler {
  checkInteger('sequentialSampler: length', length, 0)
  return {
    name: `sequential(${length})`,
    length,
    order: () => ({ indices: Int32Array.from({ length }, (_, i) => i) }),
  }
}
