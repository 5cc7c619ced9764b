/** Dawn's null backend, which executes nothing and needs no GPU, in place of the WebGPU of this process. */
import { create, globals } from 'webgpu'

/** Call it before WebGPU is started: a process has one. */
export function useNullBackend(): void {
  Object.assign(globalThis, globals)
  Object.defineProperty(globalThis.navigator, 'gpu', { value: create(['backend=null']), configurable: true })
}
