/** The `webgpu` backend, on the browser's WebGPU, or on Dawn in Node and Bun. */
import { describeAdapter, type WebgpuAdapter } from './adapter.ts'
import { requestGpuAdapter } from './device.ts'

/** Options of the backend webgpu. */
export interface WebgpuOptions {
  /** Whether an adapter will do that a program on the CPU emulates; wasm is many times faster. @default true */
  emulation?: boolean
}

/**
 * Registers the backend `webgpu` with tfjs-core; `useBackend('webgpu')` of @vitral/core calls it. After a device was lost,
 * or reported an error, the next start takes a new one; the tensors of the old one are gone.
 *
 * Its values are read asynchronously: use `await tensor.data()`, not `dataSync()`.
 *
 * @throws when there is no WebGPU or no adapter, or only an emulation that is not wanted, with what to do
 */
export async function startWebgpu({ emulation = true }: WebgpuOptions = {}): Promise<void> {
  const { name, emulated } = await webgpuAdapter()
  if (emulated && !emulation)
    throw new Error(
      `the adapter is no GPU, but emulated on the CPU (${name}), which is slower than wasm; to use it all the same, name ` +
        "the backend: useBackend('webgpu').",
    )
  const { registerWebgpuBackend } = await import('./register-backend.ts')
  await registerWebgpuBackend()
}

/**
 * Describes the adapter that the backend `webgpu` runs on; starts nothing.
 *
 * @throws when there is no WebGPU or no adapter, with what to do
 */
export const webgpuAdapter = async (): Promise<WebgpuAdapter> => describeAdapter(await requestGpuAdapter())
