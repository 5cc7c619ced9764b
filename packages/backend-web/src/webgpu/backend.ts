/**
 * The backend `webgpu`: tensors on a device of our own, our kernels, and the stock kernels of tfjs-backend-webgpu, which reach
 * tensors by the few members that their own backend has, too.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import {
  type BackendValues,
  buffer,
  DataStorage,
  type DataType,
  engine,
  env,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'
import { DeviceErrors, runningKernel } from './errors.ts'
import { isRange, type Range } from './memory.ts'
import { flatWorkgroups, type Program, type Workgroups } from './program.ts'
import { Recorder } from './recorder.ts'
import { type Resource, StockPrograms } from './stock-programs.ts'
import { widen } from './widen.ts'

/** What is known of a tensor's data; the names are those that stock kernels read. */
export interface Data {
  dtype: DataType
  shape: number[]
  refCount: number
  /** The values here, until they are uploaded or once they have been read. */
  values?: BackendValues | null
  /** The values on the device; of fromPixels and draw, a picture. */
  resource?: Resource | null
  /** Whether the resource belongs to somebody else, as a canvas's picture does. */
  external?: boolean
  /** Whether the device holds them in half the bytes; the dtype is float32 then. */
  half?: boolean
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo }
}

/** A backend on one device, from its start to its failure or disposal. */
export class WebgpuBackend extends KernelBackend {
  readonly device: GPUDevice
  readonly errors: DeviceErrors
  readonly recorder: Recorder
  /** Data of tensors; stock kernels read it, too. */
  readonly tensorMap: DataStorage<Data>
  readonly #stock: StockPrograms
  #made: object[] = []
  #scratch: Range[] = []

  constructor(device: GPUDevice, stock: WebGPUBackend) {
    super()
    this.device = device
    this.errors = new DeviceErrors(device)
    this.recorder = new Recorder(device, this.errors)
    this.tensorMap = new DataStorage(this, engine())
    this.#stock = new StockPrograms(this, stock)
  }

  /** What the device reported, from which on nothing that it computes can be trusted. */
  get failure(): Error | undefined {
    return this.errors.failure
  }

  // For our kernels.

  /** Runs a kernel, and frees what it has allocated when it throws. */
  runKernel<T>(run: () => T): T {
    this.#made = []
    try {
      return this.errors.during(undefined, run)
    } catch (error) {
      for (const dataId of this.#made) this.disposeData(dataId, true)
      throw error
    } finally {
      for (const range of this.#scratch) this.recorder.memory.release(range)
      this.#made = []
      this.#scratch = []
    }
  }

  /** A new float32 tensor, its values undefined, for the kernel that makes it; in half the bytes if `half`. */
  output(shape: number[], { half = false }: { half?: boolean } = {}): { info: TensorInfo; range: Range } {
    const dataId = this.write(null, shape, 'float32')
    this.#made.push(dataId)
    const data = this.tensorMap.get(dataId)
    data.half = half
    const range = this.#place(data)
    return { info: { dataId, shape, dtype: 'float32' }, range }
  }

  /** Memory until the kernel that runs returns, its values undefined. */
  scratch(bytes: number): Range {
    const range = this.recorder.memory.acquire(bytes)
    this.#scratch.push(range)
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
    this.tensorMap.get(tensor.dataId).values = null // what was read before is no longer true
    return range
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
    const groups = typeof workgroups === 'number' ? flatWorkgroups(workgroups, this.device.limits) : workgroups
    if (groups.includes(0)) return
    this.recorder.dispatch(program, ranges, constants, groups)
  }

  // For the engine.

  override write(values: BackendValues | null, shape: number[], dtype: DataType): object {
    if (dtype === 'complex64' && values !== null)
      throw new Error('Values cannot be written as complex64; make the tensor with complex(real, imag).')
    const dataId = {}
    this.tensorMap.set(dataId, { dtype, shape, values, refCount: 1 })
    return dataId
  }

  override move(dataId: object, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.tensorMap.set(dataId, { dtype, shape, values, refCount })
  }

  override async read(dataId: object): Promise<BackendValues> {
    const { values, resource, shape, dtype, complexTensorInfos } = this.tensorMap.get(dataId)
    if (values) return values
    if (complexTensorInfos) {
      const parts = [complexTensorInfos.real, complexTensorInfos.imag].map(part => this.read(part.dataId))
      return interleaved((await Promise.all(parts)) as Float32Array[])
    }
    if (!resource) return util.getTypedArrayFromDType(dtype as 'float32', 0)
    this.uploadToGPU(dataId) // in whole floats
    const { resource: whole } = this.tensorMap.get(dataId)
    const bytes = await this.errors.duringRead(() => this.recorder.read(whole as Range, 4 * elementsOf(shape)))
    return util.convertBackendValuesAndArrayBuffer(bytes, dtype)
  }

  override readSync(dataId: object): BackendValues {
    const { values, complexTensorInfos } = this.tensorMap.get(dataId)
    if (values) return values
    if (complexTensorInfos) {
      const { real, imag } = complexTensorInfos
      return interleaved([real, imag].map(part => this.readSync(part.dataId)) as Float32Array[])
    }
    throw new Error(
      `${runningKernel()} on webgpu: a GPU's values cannot be read at once; use await tensor.data() instead of dataSync().`,
    )
  }

  override refCount(dataId: object): number {
    return this.tensorMap.has(dataId) ? this.tensorMap.get(dataId).refCount : 0
  }

  override incRef(dataId: object): void {
    this.tensorMap.get(dataId).refCount++
  }

  decRef(dataId: object): void {
    if (this.tensorMap.has(dataId)) this.tensorMap.get(dataId).refCount--
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.tensorMap.has(dataId)) return true
    const data = this.tensorMap.get(dataId)
    data.refCount = force ? 0 : data.refCount - 1
    if (data.refCount > 0) return false
    for (const part of Object.values(data.complexTensorInfos ?? {})) this.disposeData(part.dataId)
    const { resource, external } = data
    if (resource && isRange(resource)) this.recorder.memory.release(resource)
    else if (resource && 'createView' in resource && !external) this.textureManager.releaseTexture(resource)
    this.tensorMap.delete(dataId)
    return true
  }

  override numDataIds(): number {
    return this.tensorMap.numDataIds()
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override timerAvailable(): boolean {
    return true
  }

  /** The time from the submission of what `f` records to its end. */
  override async time(f: () => void): Promise<{ kernelMs: number }> {
    this.recorder.submit()
    await this.device.queue.onSubmittedWorkDone()
    f()
    const start = performance.now()
    this.recorder.submit()
    await this.device.queue.onSubmittedWorkDone()
    return { kernelMs: performance.now() - start }
  }

  /** Bytes on the device: of tensors, and of the buffers that they lie in. */
  override memory(): { unreliable: boolean; reasons: string[]; numBytesInGPU: number; numBytesAllocatedInGPU: number } {
    const { liveBytes, allocatedBytes } = this.recorder.memory
    return { unreliable: false, reasons: [], numBytesInGPU: liveBytes, numBytesAllocatedInGPU: allocatedBytes }
  }

  override dispose(): void {
    this.recorder.dispose()
    this.device.destroy()
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

  /** Sees to it that a tensor's values are on the device, in 4 bytes each. */
  uploadToGPU(dataId: object): void {
    const data = this.tensorMap.get(dataId)
    if (data.half) widen(this, data)
    if (data.resource) return
    const range = this.#place(data)
    if (data.values) this.recorder.upload(range, words(data))
    data.values = null
  }

  runWebGPUProgram: WebGPUBackend['runWebGPUProgram'] = (...args) => this.#stock.run(...args)

  #place(data: Data): Range {
    const { shape, half } = data
    const { memory } = this.recorder
    const bytes = elementsOf(shape) * (half ? 2 : 4)
    if (bytes > memory.limit) {
      const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits
      const name = maxBufferSize < maxStorageBufferBindingSize ? 'maxBufferSize' : 'maxStorageBufferBindingSize'
      throw new Error(
        `a tensor of shape [${shape.join(', ')}] has ${bytes} bytes, and one kernel of this device reaches at most ` +
          `${memory.limit} of a tensor (${name}). Take a smaller batch, or the backend native or wasm.`,
      )
    }
    data.resource = memory.acquire(bytes)
    return data.resource
  }
}

/** A tensor's values as the device has them. */
function words({ dtype, values }: Data): Float32Array | Int32Array {
  if (values instanceof Float32Array || values instanceof Int32Array) return values
  const numbers = values as ArrayLike<number>
  return dtype === 'float32' ? Float32Array.from(numbers) : Int32Array.from(numbers)
}

const interleaved = ([real, imag]: Float32Array[]): Float32Array =>
  Float32Array.from({ length: 2 * (real?.length ?? 0) }, (_, i) => (i % 2 ? imag : real)?.[i >> 1] as number)
