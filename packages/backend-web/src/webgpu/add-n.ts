/**
 * AddN for any number of tensors. The stock kernel binds all of them at once, and a device binds eight: from the eighth
 * on it refused the whole command buffer, and the sum was whatever its memory had held.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core'

/** Replaces the stock kernel by one that sums as many at a time as the device binds beside the result. */
export function registerAddN(): void {
  const stock = getKernel('AddN', 'webgpu')
  unregisterKernel('AddN', 'webgpu')
  registerKernel({ ...stock, kernelFunc: inGroups(stock.kernelFunc) })
}

function inGroups(sum: KernelFunc): KernelFunc {
  return ({ inputs, backend, attrs }) => {
    const webgpu = backend as WebGPUBackend
    const atOnce = webgpu.device.limits.maxStorageBuffersPerShaderStage - 1
    const tensors = Object.values(inputs) as TensorInfo[]
    let total = sum({ inputs: tensors.slice(0, atOnce) as never, backend, attrs }) as TensorInfo
    for (let first = atOnce; first < tensors.length; first += atOnce - 1) {
      const group = [total, ...tensors.slice(first, first + atOnce - 1)]
      const next = sum({ inputs: group as never, backend, attrs }) as TensorInfo
      webgpu.disposeData(total.dataId)
      total = next
    }
    return total
  }
}
