/** The public names of @vitral/backend-web. */
export {
  measureWasmPeak,
  setWasmThreads,
  startWasm,
  type WasmInfo,
  type WasmInstructionSet,
  wasmInfo,
} from './wasm/index.ts'
export type { WebgpuAdapter } from './webgpu/adapter.ts'
export { startWebgpu, type WebgpuOptions, webgpuAdapter } from './webgpu/index.ts'
export { type PipelineListener, setPipelineListener } from './webgpu/pipeline-listener.ts'
