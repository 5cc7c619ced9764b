/** The public names of @vitral/backend-web. */
export { setWasmPath, startWasm } from './wasm/index.ts'
export type { WebgpuAdapter } from './webgpu/adapter.ts'
export { startWebgpu, type WebgpuOptions, webgpuAdapter } from './webgpu/index.ts'
