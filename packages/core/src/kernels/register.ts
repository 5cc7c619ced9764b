/** Brings a backend of compiled kernels into tfjs-core. */
import '@tensorflow/tfjs-backend-cpu'
import { registerBackend, registerKernel } from '@tensorflow/tfjs-core'
import { kernels } from './adapters/index.ts'
import type { KernelBackend } from './backend.ts'
import { registerStockKernels } from './stock-kernels.ts'

/**
 * Registers a backend, Vitral's kernels for it, and the stock kernels of tfjs's cpu backend for everything else.
 *
 * @param backendName the name that `setBackend` of tfjs-core takes
 * @param make called once, when the backend is first used
 */
export function registerKernelBackend(backendName: string, make: () => KernelBackend): void {
  registerStockKernels(backendName)
  for (const config of kernels) registerKernel({ ...config, backendName })
  registerBackend(backendName, make)
}
