/**
 * Runs the programs of tfjs's stock kernels on our memory. The package writes their WGSL; the bindings, the constants and the
 * commands are ours.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { WebgpuBackend } from './backend.ts'
import type { Pipeline } from './bindings.ts'
import type { Range } from './memory.ts'
import type { Workgroups } from './program.ts'

type Run = WebGPUBackend['runWebGPUProgram']
type StockProgram = Parameters<Run>[0]
type Uniforms = { type: string; data: number[] }[]

/** What a tensor lies in: a range, or a picture of fromPixels or of draw. */
export type Resource = Range | GPUTexture | GPUExternalTexture

/** What the package computes of a program on its way to `recordAndSubmit`. */
type Compiled = StockProgram & { pipeline: Pipeline; outputComponent?: number }

/** Programs of one backend. */
export class StockPrograms {
  /** The package's own backend, which runs nothing: stock kernels ask it what GPU it is. */
  readonly backend: WebGPUBackend
  readonly #own: WebgpuBackend
  /** What the package's `runWebGPUProgram` finds as its `this`. */
  readonly #context: object
  #program: StockProgram | undefined

  constructor(own: WebgpuBackend, backend: WebGPUBackend) {
    this.#own = own
    this.backend = backend
    const { device, tensorMap } = own
    this.#context = {
      tensorMap,
      pipelineCache: {},
      makeTensorInfo: own.makeTensorInfo.bind(own),
      uploadToGPU: own.uploadToGPU.bind(own),
      recordAndSubmit: this.#record.bind(this),
      device: {
        limits: device.limits,
        createShaderModule: ({ code, ...rest }: GPUShaderModuleDescriptor) =>
          device.createShaderModule({
            ...rest,
            code: code.replaceAll('var<storage, read>', 'var<storage, read_write>'),
          }),
        createComputePipeline: (descriptor: GPUComputePipelineDescriptor) =>
          own.recorder.bindings.compile({ ...descriptor, layout: this.#layout() }),
      },
    }
  }

  run: Run = (program, inputs, dtype, uniforms, output) => {
    const bound = inputs.length + 1
    const { maxStorageBuffersPerShaderStage: most } = this.#own.device.limits
    return this.#own.errors.during(program.constructor.name, () => {
      if (bound > most)
        throw new Error(
          `${bound} tensors are read and written at once, and this device allows ${most} (maxStorageBuffersPerShaderStage).`,
        )
      this.#program = program
      return this.backend.runWebGPUProgram.call(
        this.#context as WebGPUBackend,
        program,
        inputs,
        dtype,
        uniforms,
        output,
      )
    })
  }

  #layout(): GPUPipelineLayout | 'auto' {
    const { pixelsOpType, variableNames } = this.#program as StockProgram
    return pixelsOpType == null ? this.#own.recorder.bindings.layout(variableNames.length + 1) : 'auto'
  }

  #record(program: Compiled, output: TensorInfo, inputs: TensorInfo[], uniforms: Uniforms = []): void {
    const { recorder, tensorMap } = this.#own
    const fields = [...shapeUniforms(program, output, inputs), ...uniforms]
    const { bytes, offsets } = uniformLayout(fields)
    const writeConstants = (place: DataView): void =>
      fields.forEach(({ type, data }, i) => {
        for (const [j, value] of data.entries()) {
          const offset = (offsets[i] as number) + 4 * j
          if (type === 'float32') place.setFloat32(offset, value, true)
          else place.setInt32(offset, value, true)
        }
      })
    const workgroups = program.dispatch as unknown as Workgroups
    const resources = [output, ...inputs].map(({ dataId }) => tensorMap.get(dataId).resource as Resource)
    const { pipeline, pixelsOpType } = program
    if (pixelsOpType == null) {
      recorder.record({ pipeline, ranges: resources as Range[], constantBytes: bytes, writeConstants, workgroups })
      return
    }
    const place = recorder.reserve(bytes)
    writeConstants(recorder.constantsAt(place, bytes))
    const constants = { buffer: recorder.constants, offset: place, size: bytes }
    const bound = [
      ...resources.map(resource => ('createView' in resource ? resource.createView() : resource)),
      constants,
    ]
    const entries = bound.map((resource, binding) => ({ binding, resource }))
    recorder.encode(encoder => {
      const pass = encoder.beginComputePass()
      const compiled = recorder.bindings.compiled(pipeline)
      pass.setPipeline(compiled)
      pass.setBindGroup(0, this.#own.device.createBindGroup({ layout: compiled.getBindGroupLayout(0), entries }))
      pass.dispatchWorkgroups(...workgroups)
      pass.end()
    })
    recorder.submit() // a canvas shows its picture, and a video frame ends, with the task
  }
}

/** What every stock program reads, in its order. */
function shapeUniforms(program: Compiled, output: TensorInfo, inputs: TensorInfo[]): Uniforms {
  const constants = [Number.NaN, Number.POSITIVE_INFINITY].map(value => ({ type: 'float32', data: [value] }))
  const shapes = [...inputs, output].flatMap(({ shape }) => [shape, stridesOf(shape)])
  const pixels = program.pixelsOpType != null
  const fields = pixels ? [] : constants
  for (const data of pixels ? [stridesOf(output.shape)] : shapes) fields.push({ type: 'int32', data })
  if (program.size) fields.push({ type: 'int32', data: [sizeOf(output.shape) / (program.outputComponent ?? 1)] })
  return fields.map(({ type, data }) => ({ type, data: data.length === 0 ? [1] : data }))
}

const sizeOf = (shape: number[]): number => shape.reduce((product, size) => product * size, 1)

const stridesOf = (shape: number[]): number[] => shape.slice(1).map((_, axis) => sizeOf(shape.slice(axis + 1)))

/** Where WGSL expects the fields of a struct: of 1 to 4 numbers a scalar or vector, of 5 and 6 a struct of its own. */
function uniformLayout(fields: Uniforms): { bytes: number; offsets: number[] } {
  let [end, widest, previous] = [0, 4, 0]
  const offsets = fields.map(({ data: { length } }) => {
    const own = length > 2 ? 16 : 4 * length
    const alignment = previous > 4 ? 16 : own // a struct ends on a multiple of 16
    widest = Math.max(widest, alignment)
    const offset = Math.ceil(end / alignment) * alignment
    end = offset + 4 * length
    previous = length
    return offset
  })
  return { bytes: Math.ceil(end / widest) * widest, offsets }
}
