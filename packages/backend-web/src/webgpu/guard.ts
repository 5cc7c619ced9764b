/**
 * Makes errors of WebGPU errors of JavaScript. WebGPU reports most of them beside the call that is wrong, as an event, drops
 * the commands and goes on: the results read as zeros, or as what their memory held before.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { getKernelsForBackend, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'

const BYTES_PER_ELEMENT = 4 // float32, int32 and bool, as tfjs keeps them on the device

/** How long a read that failed waits for the word that the device was lost; hardly any fails for another reason. */
const LOSS_DELAY_MS = 2000

/** The tfjs kernel that runs. */
let running: string | undefined

/** Lets errors name the tfjs kernel that they happen in; call it once, after all kernels are registered. */
export function nameKernels(): void {
  for (const { kernelFunc, ...config } of getKernelsForBackend('webgpu')) {
    unregisterKernel(config.kernelName, 'webgpu')
    registerKernel({
      ...config,
      kernelFunc: args => {
        const outer = running
        running = config.kernelName
        try {
          return kernelFunc(args)
        } finally {
          running = outer
        }
      },
    })
  }
}

/** A backend that throws what its device reports. */
export type GuardedBackend = WebGPUBackend & {
  /** What the device reported, from which on nothing that it computes can be trusted. */
  readonly failure: Error | undefined
}

/**
 * Refuses what the device cannot do before it is recorded, and after an error of the device every op and every read:
 * what was recorded together with a refused command is lost without a trace.
 */
export function guard(backend: WebGPUBackend): GuardedBackend {
  const { device } = backend
  let failure: Error | undefined
  const fail = (what: string): void => {
    failure ??= new Error(
      `${what} Nothing that this device computes can be trusted any more; start it anew with useBackend('webgpu'), and ` +
        'load the model again.',
    )
  }
  // Dawn outside a browser calls this before the wrong call returns, and a browser some time after.
  device.addEventListener('uncapturederror', event => {
    event.preventDefault()
    fail(reported((event as GPUUncapturedErrorEvent).error))
  })
  void device.lost.then(({ reason, message }) =>
    fail(`The WebGPU device was lost: ${message || reason || 'the browser does not say why'}.`),
  )
  labelResources(device)

  const { runWebGPUProgram, getBufferData } = backend
  const throwFailure = (op: string): void => {
    if (failure) throw new Error(`${op} on webgpu: ${failure.message}`, { cause: failure })
  }
  backend.runWebGPUProgram = (program, inputs, dtype, uniforms, output) => {
    const op = running ?? program.constructor.name
    throwFailure(op)
    checkLimits(op, device.limits, [...inputs.map(({ shape }) => shape), output?.shape ?? program.outputShape])
    const result = namingOp(op, () => runWebGPUProgram.call(backend, program, inputs, dtype, uniforms, output))
    throwFailure(op)
    return result
  }
  backend.getBufferData = async buffer => {
    const op = 'Reading a tensor'
    throwFailure(op)
    try {
      return await getBufferData.call(backend, buffer)
    } catch (error) {
      // A browser tells the reads that wait for a device of their end before it tells that the device was lost.
      await Promise.race([device.lost, new Promise(resolve => setTimeout(resolve, LOSS_DELAY_MS))])
      throwFailure(op)
      throw namingError(op, error)
    } finally {
      throwFailure(op)
    }
  }
  return Object.defineProperty(backend, 'failure', { get: () => failure }) as GuardedBackend
}

function reported(error: GPUError): string {
  const { message } = error
  const what = error instanceof GPUOutOfMemoryError ? 'The GPU is out of memory' : 'WebGPU refused a command'
  return `${what}${running ? ` of ${running}` : ''}: ${message.trim().replaceAll(/\s*\n[\s-]*/g, '; ')}`
}

/** Names what a device makes by the op that it is for: WebGPU's messages quote the names. */
function labelResources(device: GPUDevice): void {
  const createBuffer = device.createBuffer.bind(device)
  const createBindGroup = device.createBindGroup.bind(device)
  device.createBuffer = descriptor => createBuffer({ ...(running && { label: running }), ...descriptor })
  device.createBindGroup = descriptor => createBindGroup({ ...(running && { label: running }), ...descriptor })
}

function checkLimits(op: string, limits: GPUSupportedLimits, shapes: readonly (readonly number[])[]): void {
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = limits
  const [limit, name] =
    maxBufferSize < maxStorageBufferBindingSize
      ? [maxBufferSize, 'maxBufferSize']
      : [maxStorageBufferBindingSize, 'maxStorageBufferBindingSize']
  for (const shape of shapes) {
    const bytes = elementsOf(shape) * BYTES_PER_ELEMENT
    if (bytes > limit)
      throw new Error(
        `${op} on webgpu: a tensor of shape [${shape.join(', ')}] has ${bytes} bytes, and one kernel of this device reaches ` +
          `at most ${limit} of a tensor (${name}). Take a smaller batch, or the backend native or wasm.`,
      )
  }
  if (shapes.length > maxStorageBuffersPerShaderStage)
    throw new Error(
      `${op} on webgpu: ${shapes.length} tensors are read and written at once, and this device allows ` +
        `${maxStorageBuffersPerShaderStage} (maxStorageBuffersPerShaderStage).`,
    )
}

function namingOp<T>(op: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw namingError(op, error)
  }
}

/** WebGPU also throws errors with an empty message. */
function namingError(op: string, error: unknown): Error {
  const { message, name } = error as Error
  return new Error(`${op} on webgpu: ${message || name}`, { cause: error })
}
