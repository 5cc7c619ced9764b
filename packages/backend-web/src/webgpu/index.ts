/** The `webgpu` backend, on the browser's WebGPU, or on Dawn in Node and Bun. */
import type { WebGPUBackend as StockBackend } from '@tensorflow/tfjs-backend-webgpu'
import { engine, registerBackend, registerKernel, removeBackend } from '@tensorflow/tfjs-core'
import { describeAdapter, type WebgpuAdapter } from './adapter.ts'
import { registerAddN } from './add-n.ts'
import { WebgpuBackend } from './backend.ts'
import { requestGpuAdapter, requestGpuDevice } from './device.ts'
import { nameKernels } from './errors.ts'
import { kernels } from './kernels/index.ts'

/** Options of the backend webgpu. */
export interface WebgpuOptions {
  /** Whether an adapter will do that a program on the CPU emulates; wasm is many times faster. @default true */
  emulation?: boolean
}

/** Makes the backend, once the stock package is there. */
let factory: (() => Promise<WebgpuBackend>) | undefined

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
  factory ??= await ownFactory()
  const running = engine().registry.webgpu
  if (running instanceof WebgpuBackend && !running.failure) return
  if (running && !(running instanceof WebgpuBackend) && running.numDataIds() > 0)
    throw new Error(
      "tfjs's own backend webgpu is running and has tensors; call useBackend('webgpu') of @vitral/core before any op.",
    )
  removeBackend('webgpu')
  registerBackend('webgpu', factory)
}

/**
 * Describes the adapter that the backend `webgpu` runs on; starts nothing.
 *
 * @throws when there is no WebGPU or no adapter, with what to do
 */
export const webgpuAdapter = async (): Promise<WebgpuAdapter> => describeAdapter(await requestGpuAdapter())

async function ownFactory(): Promise<() => Promise<WebgpuBackend>> {
  // Only now: on import the package looks for navigator.gpu, and registers nothing without it.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  registerAddN()
  for (const kernel of kernels) registerKernel(kernel)
  nameKernels()
  return async () => {
    const adapter = await requestGpuAdapter()
    const device = await requestGpuDevice(adapter)
    const stock = new WebGPUBackend(device, adapter.info) as StockBackend
    return new WebgpuBackend(device, stock, describeAdapter(adapter).emulated)
  }
}
