/** The backend itself: a page loads it and its kernels once there is an adapter for them. */
import type { WebGPUBackend as StockBackend } from '@tensorflow/tfjs-backend-webgpu'
import { engine, registerBackend, registerKernel, removeBackend } from '@tensorflow/tfjs-core'
import { describeAdapter } from './adapter.ts'
import { registerAddN } from './add-n.ts'
import { WebgpuBackend } from './backend.ts'
import { requestGpuAdapter, requestGpuDevice } from './device.ts'
import { nameKernels } from './errors.ts'
import { kernels } from './kernels/index.ts'

/** Makes the backend, once the stock package is there. */
let factory: (() => Promise<WebgpuBackend>) | undefined

/**
 * Registers the backend with tfjs-core, unless it is there and has not failed.
 *
 * @throws when tfjs's own is running and has tensors
 */
export async function registerWebgpuBackend(): Promise<void> {
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
