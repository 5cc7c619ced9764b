/** The `webgpu` backend: stock tfjs on the browser's WebGPU, or on Dawn in Node and Bun. */
import { provideGpu } from './device.ts'

/**
 * Registers the backend `webgpu` with tfjs-core; `useBackend('webgpu')` of @vitral/core calls it.
 *
 * Its values are read asynchronously: use `await tensor.data()`, not `dataSync()`.
 *
 * @throws when there is no WebGPU or no adapter, with what to do
 */
export async function startWebgpu(): Promise<void> {
  await provideGpu()
  // Only now: on import the package looks for navigator.gpu, and registers nothing without it.
  await import('@tensorflow/tfjs-backend-webgpu')
}
