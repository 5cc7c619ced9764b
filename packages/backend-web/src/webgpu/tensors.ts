/** Tensors on a device, as tfjs's engine makes, reads and frees them. */
import {
  type BackendValues,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'
import { DeviceErrors, runningKernel } from './errors.ts'
import { isRange, type Range } from './memory.ts'
import { Recorder } from './recorder.ts'
import type { Resource } from './stock-programs.ts'
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
  /** A copy of them in half the bytes, which products read. */
  halved?: Range | undefined
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo }
  /** The tensors of a bundle. */
  parts?: Readonly<Record<string, TensorInfo>>
}

/** What a backend does for the engine. */
export class DeviceTensors extends KernelBackend {
  /** The device, of this backend alone. */
  readonly device: GPUDevice
  /** What it reports. */
  readonly errors: DeviceErrors
  /** Its commands and its memory. */
  readonly recorder: Recorder
  /** Data of tensors; stock kernels read it, too. */
  readonly tensorMap: DataStorage<Data>
  /** How many tensors are parts of others, of which the engine does not know. */
  protected bundledTensors = 0

  constructor(device: GPUDevice) {
    super()
    this.device = device
    this.errors = new DeviceErrors(device)
    this.recorder = new Recorder(device, this.errors)
    this.tensorMap = new DataStorage(this, engine())
  }

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
    const parts = Object.values(data.parts ?? {})
    for (const part of parts) this.disposeData(part.dataId)
    this.bundledTensors -= parts.length
    this.release(data)
    this.tensorMap.delete(dataId)
    return true
  }

  override numDataIds(): number {
    return this.tensorMap.numDataIds() - this.bundledTensors
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override timerAvailable(): boolean {
    return true
  }

  /** The time that the device takes for what `f` records. */
  override async time(f: () => void): Promise<{ kernelMs: number }> {
    const { queue } = this.device
    this.recorder.submit()
    const before = queue.onSubmittedWorkDone().then(() => performance.now())
    f() // at once: the engine waits for its result
    this.recorder.submit()
    const submitted = performance.now()
    await queue.onSubmittedWorkDone()
    return { kernelMs: performance.now() - Math.max(submitted, await before) }
  }

  /** Bytes on the device: of tensors, and of the buffers that they lie in. */
  override memory(): { unreliable: boolean; reasons: string[]; numBytesInGPU: number; numBytesAllocatedInGPU: number } {
    const { live, allocated } = this.recorder.bytes
    return { unreliable: false, reasons: [], numBytesInGPU: live, numBytesAllocatedInGPU: allocated }
  }

  override dispose(): void {
    this.recorder.dispose()
    this.device.destroy()
  }

  /** Sees to it that a tensor's values are on the device, in 4 bytes each. */
  uploadToGPU(dataId: object): void {
    const data = this.tensorMap.get(dataId)
    if (data.half) widen(this.recorder, data)
    if (data.resource) return
    const range = this.place(data)
    if (data.values) this.recorder.upload(range, words(data))
    data.values = null
  }

  /** Frees what a tensor lies in. */
  protected release({ resource, halved }: Data): void {
    if (halved) this.recorder.memory.release(halved)
    if (resource && isRange(resource)) this.recorder.memory.release(resource)
  }

  /** Gives a tensor its place on the device. */
  protected place(data: Data): Range {
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
