/** The `webgpu` backend: stock tfjs on the browser's WebGPU, or on Dawn in Node and Bun. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { engine, findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs-core'
import { describeAdapter, type WebgpuAdapter } from './adapter.ts'
import { registerAddN } from './add-n.ts'
import { requestGpuAdapter } from './device.ts'
import { type GuardedBackend, guard, nameKernels } from './guard.ts'

/** Options of the backend webgpu. */
export interface WebgpuOptions {
  /** Whether an adapter will do that a program on the CPU emulates; wasm is many times faster. @default true */
  emulation?: boolean
}

/** Makes the guarded backend, once the stock package is there. */
let factory: (() => Promise<GuardedBackend>) | undefined

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
  factory ??= await guardedFactory()
  const running = engine().registry.webgpu as WebGPUBackend | GuardedBackend | undefined
  if (running && !('failure' in running)) guard(running) // it is tfjs's own, started by somebody else
  if (running && !(running as GuardedBackend).failure) return
  removeBackend('webgpu')
  registerBackend('webgpu', factory)
}

/**
 * Describes the adapter that the backend `webgpu` runs on; starts nothing.
 *
 * @throws when there is no WebGPU or no adapter, with what to do
 */
export const webgpuAdapter = async (): Promise<WebgpuAdapter> => describeAdapter(await requestGpuAdapter())

async function guardedFactory(): Promise<() => Promise<GuardedBackend>> {
  // Only now: on import the package looks for navigator.gpu, and registers nothing without it.
  await import('@tensorflow/tfjs-backend-webgpu')
  const stock = findBackendFactory('webgpu') as (() => Promise<WebGPUBackend>) | undefined
  if (!stock) throw new Error('@tensorflow/tfjs-backend-webgpu was imported before WebGPU was there; import it after.')
  registerAddN()
  nameKernels()
  return async () => guard(await stock())
}
