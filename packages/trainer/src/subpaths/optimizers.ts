/** @vitral/trainer/optimizers: parameter groups and state of optimizers. */

export type { GroupedOptimizerOptions } from '../optimizers/algorithms.ts'
export type { GradientClip, NormClip } from '../optimizers/clip-gradients.ts'
export type { OptimizerState } from '../optimizers/index.ts'
export {
  type ParameterGroups,
  type ParameterSettings,
  parameterGroups,
} from '../optimizers/parameter-groups.ts'
export type { GroupOptions } from '../recipe/types.ts'
