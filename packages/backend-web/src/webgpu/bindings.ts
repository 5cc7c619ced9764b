/** What a device makes once and dispatches use again: pipelines, their layouts, and groups of bindings. */
import type { DeviceErrors } from './errors.ts'
import type { Range } from './memory.ts'
import { tellPipelines } from './pipeline-listener.ts'
import { CONSTANT_BYTES, type Program, textOf } from './program.ts'

/** Groups that are kept: many times those of a training step, few enough that a program whose sizes never repeat does not grow. */
const MOST_GROUPS = 2 ** 14

/** A pipeline that compiles beside others, until it is needed. */
export interface Pipeline {
  descriptor: GPUComputePipelineDescriptor
  compiled: GPUComputePipeline | undefined
}

/** Caches of one device. */
export class Bindings {
  /** How many of each were made. */
  readonly counts: { bindGroups: number; pipelines: number } = { bindGroups: 0, pipelines: 0 }
  readonly #device: GPUDevice
  readonly #errors: DeviceErrors
  readonly #pipelines = new Map<string, { program: Program; pipeline: Pipeline }>()
  readonly #compiling = new Set<Promise<unknown>>()
  /** Pipelines since none was compiling. */
  #started = 0
  readonly #layouts: GPUBindGroupLayout[] = []
  readonly #groups = new Map<string, GPUBindGroup>()

  constructor(device: GPUDevice, errors: DeviceErrors) {
    this.#device = device
    this.#errors = errors
  }

  /** A program's pipeline, whose compilation starts when it is first asked for. */
  pipeline(program: Program): Pipeline {
    const { name, bindings } = program
    const known = this.#pipelines.get(name)
    if (known) {
      if (known.program !== program && textOf(known.program) !== textOf(program))
        throw new Error(`Two programs have the name ${name}; expected a name for each text.`)
      return known.pipeline
    }
    const pipeline = this.compile({
      label: name,
      layout: this.layout(Object.keys(bindings).length),
      compute: { module: this.#device.createShaderModule({ label: name, code: textOf(program) }), entryPoint: 'main' },
    })
    this.#pipelines.set(name, { program, pipeline })
    return pipeline
  }

  /** Starts to compile a pipeline. */
  compile(descriptor: GPUComputePipelineDescriptor): Pipeline {
    const pipeline: Pipeline = { descriptor, compiled: undefined }
    const compiling = this.#device.createComputePipelineAsync(descriptor).then(
      compiled => {
        pipeline.compiled ??= compiled
      },
      () => this.compiled(pipeline), // which reports the same error with its op
    )
    this.#compiling.add(compiling)
    void compiling.finally(() => {
      this.#compiling.delete(compiling)
      this.#tell()
    })
    this.counts.pipelines++
    this.#started++
    return pipeline
  }

  /** A pipeline that is needed now. */
  compiled(pipeline: Pipeline): GPUComputePipeline {
    pipeline.compiled ??= this.#device.createComputePipeline(pipeline.descriptor)
    return pipeline.compiled
  }

  /** Resolves when all pipelines are compiled. */
  async ready(): Promise<void> {
    if (this.#compiling.size > 0) this.#tell()
    while (this.#compiling.size > 0) await Promise.all(this.#compiling)
    this.#started = 0
  }

  #tell(): void {
    if (this.#started > 0) tellPipelines(this.#started - this.#compiling.size, this.#started)
  }

  /** Layout of pipelines with so many storage buffers, and the constants after them. */
  layout(storageBuffers: number): GPUPipelineLayout {
    return this.#device.createPipelineLayout({ bindGroupLayouts: [this.#bindGroupLayout(storageBuffers)] })
  }

  /** The ranges, and after them constants, whose place in their buffer each dispatch tells. */
  group(ranges: readonly Range[], constants: GPUBuffer, constantBytes: number): GPUBindGroup {
    let key = `${constantBytes}`
    for (const { chunk, offset, size } of ranges) key += `,${chunk}:${offset}+${size}`
    let group = this.#groups.get(key)
    if (!group) {
      const size = Math.ceil(constantBytes / CONSTANT_BYTES) * CONSTANT_BYTES
      const storage = ranges.map(({ buffer, offset, size }) => ({ buffer, offset, size }))
      group = this.#device.createBindGroup({
        label: this.#errors.label,
        layout: this.#bindGroupLayout(ranges.length),
        entries: [...storage, { buffer: constants, offset: 0, size }].map((resource, binding) => ({
          binding,
          resource,
        })),
      })
      if (this.#groups.size === MOST_GROUPS) this.#groups.clear()
      this.#groups.set(key, group)
      this.counts.bindGroups++
    }
    return group
  }

  /** Forgets the groups, whose buffers may be gone. */
  clear(): void {
    this.#groups.clear()
  }

  #bindGroupLayout(storageBuffers: number): GPUBindGroupLayout {
    this.#layouts[storageBuffers] ??= this.#device.createBindGroupLayout({
      entries: Array.from({ length: storageBuffers + 1 }, (_, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: binding < storageBuffers ? { type: 'storage' } : { type: 'uniform', hasDynamicOffset: true },
      })),
    })
    return this.#layouts[storageBuffers]
  }
}
