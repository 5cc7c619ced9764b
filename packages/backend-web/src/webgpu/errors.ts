/**
 * Makes errors of WebGPU errors of JavaScript. WebGPU reports most of them beside the call that is wrong, as an event, drops
 * the commands and goes on: the results read as zeros, or as what their memory held before.
 */
import { getKernelsForBackend, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'

/** How long a read that failed waits for the word that the device was lost; hardly any fails for another reason. */
const LOSS_DELAY_MS = 2000

/** The kernel that runs. */
let running: string | undefined

/** Lets errors name the kernel that they happen in; call it once, after all kernels are registered. */
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

/** What a device reports, thrown by all that goes on with it. */
export class DeviceErrors {
  readonly #device: GPUDevice
  #failure: Error | undefined

  constructor(device: GPUDevice) {
    this.#device = device
    // Dawn outside a browser calls this before the wrong call returns, and a browser some time after.
    device.addEventListener('uncapturederror', event => {
      event.preventDefault()
      this.#fail(reported((event as GPUUncapturedErrorEvent).error))
    })
    void device.lost.then(({ reason, message }) =>
      this.#fail(`The WebGPU device was lost: ${message || reason || 'the browser does not say why'}.`),
    )
  }

  /** What was reported, from which on nothing that the device computes can be trusted. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Name for what is made now: WebGPU's messages quote it. */
  get label(): string {
    return running ?? 'vitral'
  }

  /** Runs something of the device, and throws what it throws or reports with the op's name. */
  during<T>(op: string | undefined, run: () => T): T {
    const name = running ?? op ?? 'vitral'
    this.#throwFailure(name)
    try {
      const result = run()
      this.#throwFailure(name)
      return result
    } catch (error) {
      throw named(name, error)
    }
  }

  /** The same of something that comes later. */
  async duringRead<T>(run: () => Promise<T>): Promise<T> {
    const op = 'Reading a tensor'
    this.#throwFailure(op)
    try {
      return await run()
    } catch (error) {
      // A browser tells the reads that wait for a device of their end before it tells that the device was lost.
      await Promise.race([this.#device.lost, new Promise(resolve => setTimeout(resolve, LOSS_DELAY_MS))])
      this.#throwFailure(op)
      throw named(op, error)
    } finally {
      this.#throwFailure(op)
    }
  }

  #throwFailure(op: string): void {
    if (this.#failure) throw new NamedError(`${op} on webgpu: ${this.#failure.message}`, { cause: this.#failure })
  }

  #fail(what: string): void {
    this.#failure ??= new Error(
      `${what} Nothing that this device computes can be trusted any more; start it anew with useBackend('webgpu'), and ` +
        'load the model again.',
    )
  }
}

/** An error whose message begins with the op. */
class NamedError extends Error {}

/** The name of the kernel that runs, for errors. */
export const runningKernel = (): string => running ?? 'An op'

/** WebGPU also throws errors with an empty message. */
function named(op: string, error: unknown): Error {
  if (error instanceof NamedError) return error
  const { message, name } = error as Error
  return new NamedError(`${op} on webgpu: ${message || name}`, { cause: error })
}

function reported(error: GPUError): string {
  const { message } = error
  const what = error instanceof GPUOutOfMemoryError ? 'The GPU is out of memory' : 'WebGPU refused a command'
  return `${what}${running ? ` of ${running}` : ''}: ${message.trim().replaceAll(/\s*\n[\s-]*/g, '; ')}`
}
