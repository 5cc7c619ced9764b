/** AddN for any number of tensors. The stock kernel binds all of them at once, and a device binds eight or a few more. */
import { getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core'
import type { WebgpuBackend } from './backend.ts'
import { MOST_BINDINGS } from './program.ts'

/** Replaces the stock kernel by one that sums as many at a time as every device binds beside the result. */
export function registerAddN(): void {
  const stock = getKernel('AddN', 'webgpu')
  unregisterKernel('AddN', 'webgpu')
  registerKernel({ ...stock, kernelFunc: inGroups(stock.kernelFunc) })
}

function inGroups(sum: KernelFunc): KernelFunc {
  const atOnce = MOST_BINDINGS - 1
  return ({ inputs, backend, attrs }) => {
    const tensors = Object.values(inputs) as TensorInfo[]
    let total = sum({ inputs: tensors.slice(0, atOnce) as never, backend, attrs }) as TensorInfo
    for (let first = atOnce; first < tensors.length; first += atOnce - 1) {
      const group = [total, ...tensors.slice(first, first + atOnce - 1)]
      const next = sum({ inputs: group as never, backend, attrs }) as TensorInfo
      ;(backend as WebgpuBackend).disposeData(total.dataId)
      total = next
    }
    return total
  }
}
