/**
 * The public names of @vitral/core/kernels: backends whose kernels are compiled, whatever they are compiled to. The
 * native addon of @vitral/backend-node and the WebAssembly module of @vitral/backend-web have the same C++ text and
 * share the adapters of this folder, which bring tensors to it.
 */

export type { LayerParameter } from './adapters/layer-parameters.ts'
export type { AdamAttributes, LionAttributes, SgdAttributes } from './adapters/optimizer-step.ts'
export type { OutputDtypeAttribute } from './adapters/output-dtype.ts'
export { KernelBackend } from './backend.ts'
export { bestRate } from './best-rate.ts'
export type * from './calls.ts'
export { registerKernelBackend } from './register.ts'
