/** The public names of @vitral/backend-web. */
export { setWasmPath, startWasm } from './wasm/index.ts'
export { startWebgpu } from './webgpu/index.ts'
