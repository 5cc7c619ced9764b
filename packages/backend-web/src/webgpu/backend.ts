/**
 * The backend `webgpu`: tensors on a device of our own, our kernels, and the stock kernels of tfjs-backend-webgpu, which reach
 * tensors by the few members that their own backend has, too.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { type BackendValues, buffer, type DataType, env, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'
import type { Range } from './memory.ts'
import type { Program, Workgroups } from './program.ts'
import { StockPrograms } from './stock-programs.ts'
import { type Data, DeviceTensors } from './tensors.ts'

/** What the kernel that runs has allocated. */
interface KernelScope {
  made: object[]
  scratch: Range[]
}

/** A backend on one device, from its start to its failure or disposal. */
export class WebgpuBackend extends DeviceTensors {
  /** Whether a program on the CPU plays the GPU: other kernels are fast then. */
  readonly emulated: boolean
  readonly #stock: StockPrograms
  #scope: KernelScope | undefined

  constructor(device: GPUDevice, stock: WebGPUBackend, emulated: boolean) {
    super(device)
    this.emulated = emulated
    this.#stock = new StockPrograms(this, stock)
  }

  /** What the device reported, from which on nothing that it computes can be trusted. */
  get failure(): Error | undefined {
    return this.errors.failure
  }

  // For our kernels.

  /** Runs a kernel, on its own or within another, and frees what it has allocated when it throws. */
  runKernel<T>(run: () => T): T {
    const outer = this.#scope
    const scope: KernelScope = { made: [], scratch: [] }
    this.#scope = scope
    try {
      const result = this.errors.during(undefined, run)
      for (const dataId of scope.made) outer?.made.push(dataId)
      return result
    } catch (error) {
      for (const dataId of scope.made) this.disposeData(dataId, true)
      throw error
    } finally {
      for (const range of scope.scratch) this.recorder.memory.release(range)
      this.#scope = outer
    }
  }

  /** A new float32 tensor, its values undefined, for the kernel that makes it; in half the bytes if `half`. */
  output(shape: number[], { half = false }: { half?: boolean } = {}): { info: TensorInfo; range: Range } {
    const dataId = this.write(null, shape, 'float32')
    this.#scope?.made.push(dataId)
    const data = this.tensorMap.get(dataId)
    data.half = half
    const range = this.place(data)
    return { info: { dataId, shape, dtype: 'float32' }, range }
  }

  /** Frees tensors that a kernel has made in between. */
  free(...made: readonly TensorInfo[]): void {
    for (const { dataId } of made) this.disposeData(dataId)
  }

  /** Memory until the kernel that runs returns, its values undefined. */
  scratch(bytes: number): Range {
    const range = this.recorder.memory.acquire(bytes)
    this.#scope?.scratch.push(range)
    return range
  }

  /** Where a tensor's values lie, in 4 bytes each. */
  range({ dataId }: TensorInfo): Range {
    this.uploadToGPU(dataId)
    return this.tensorMap.get(dataId).resource as Range
  }

  /** Where they lie as they are, in 4 bytes each or in 2, for a kernel that reads both. */
  stored({ dataId }: TensorInfo): { range: Range; half: boolean } {
    const data = this.tensorMap.get(dataId)
    if (!data.half) this.uploadToGPU(dataId)
    return { range: data.resource as Range, half: data.half ?? false }
  }

  /** Where they lie, for a step that writes them in place. */
  rangeInPlace(tensor: TensorInfo): Range {
    const range = this.range(tensor)
    const data = this.tensorMap.get(tensor.dataId)
    data.values = null // what was read before is no longer true
    if (data.halved) this.recorder.memory.release(data.halved)
    data.halved = undefined
    return range
  }

  /** The copy of a tensor in half the bytes that `make` writes, made once until the tensor changes or goes. */
  halved({ dataId }: TensorInfo, bytes: number, make: (copy: Range) => void): Range {
    const data = this.tensorMap.get(dataId)
    if (!data.halved) {
      data.halved = this.recorder.memory.acquire(bytes)
      make(data.halved)
    }
    return data.halved
  }

  /** One tensor that stands for several, which go with it: a kernel's gradient may get what it saved in one alone. */
  bundle(parts: Readonly<Record<string, TensorInfo>>): TensorInfo {
    const dataId = this.write(null, [], 'float32')
    this.tensorMap.get(dataId).parts = parts
    this.bundledTensors += Object.keys(parts).length
    return { dataId, shape: [], dtype: 'float32' }
  }

  /** The tensors of a bundle. */
  partsOf<Name extends string>({ dataId }: TensorInfo): Record<Name, TensorInfo> {
    return this.tensorMap.get(dataId).parts as Record<Name, TensorInfo>
  }

  /** Another tensor of the same data. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    this.incRef(dataId)
    return { dataId, shape, dtype }
  }

  /**
   * Runs a program.
   *
   * @param ranges one for each binding, undefined where the program does not touch it
   * @param workgroups their number, as `group` of the program counts it, or a number for each axis
   */
  dispatch<Binding extends string, Constant extends string>(
    program: Program<Binding, Constant>,
    ranges: Readonly<Record<Binding, Range | undefined>>,
    constants: Readonly<Record<Constant, number>>,
    workgroups: number | Workgroups,
  ): void {
    const groups = typeof workgroups === 'number' ? this.recorder.workgroups(workgroups) : workgroups
    if (groups.includes(0)) return
    this.recorder.dispatch(program, ranges, constants, groups)
  }

  // For the stock kernels.

  get adapterInfo(): WebGPUBackend['adapterInfo'] {
    return this.#stock.backend.adapterInfo
  }

  get thresholdToIncreaseWorkgroups(): number {
    return this.#stock.backend.thresholdToIncreaseWorkgroups
  }

  get textureManager(): WebGPUBackend['textureManager'] {
    return this.#stock.backend.textureManager
  }

  get queue(): GPUQueue {
    return this.device.queue
  }

  makeTensorInfo(shape: number[], dtype: DataType, values?: BackendValues | string[]): TensorInfo {
    const encoded = typeof values?.[0] === 'string' ? (values as string[]).map(text => util.encodeString(text)) : values
    return { dataId: this.write((encoded ?? null) as BackendValues | null, shape, dtype), shape, dtype }
  }

  bufferSync({ dataId, shape, dtype }: TensorInfo): ReturnType<typeof buffer> {
    const values = this.readSync(dataId)
    const decoded = dtype === 'string' ? (values as Uint8Array[]).map(text => util.decodeString(text)) : values
    return buffer(shape, dtype, decoded as never)
  }

  /** Whether few values, which are not on the device yet, are worth no dispatch. */
  shouldExecuteOnCPU(inputs: TensorInfo[], most?: number): boolean {
    const threshold = most ?? env().getNumber('WEBGPU_CPU_HANDOFF_SIZE_THRESHOLD')
    const few = ({ dataId, shape }: TensorInfo) => !this.tensorMap.get(dataId).resource && elementsOf(shape) < threshold
    return env().getBool('WEBGPU_CPU_FORWARD') && inputs.every(few)
  }

  runWebGPUProgram: WebGPUBackend['runWebGPUProgram'] = (...args) => this.#stock.run(...args)

  protected override release(data: Data): void {
    super.release(data)
    const { resource, external } = data
    if (resource && 'createView' in resource && !external) this.textureManager.releaseTexture(resource)
  }
}
