/** What a device makes once and dispatches use again: pipelines, their layouts, and groups of bindings. */
import type { DeviceErrors } from './errors.ts'
import type { Range } from './memory.ts'
import { CONSTANT_BYTES, type Program, textOf } from './program.ts'

/** Groups that are kept: many times those of a training step, few enough that a program whose sizes never repeat does not grow. */
const MOST_GROUPS = 2 ** 14

/** Caches of one device. */
export class Bindings {
  /** How many of each were made. */
  readonly counts: { bindGroups: number; pipelines: number } = { bindGroups: 0, pipelines: 0 }
  readonly #device: GPUDevice
  readonly #errors: DeviceErrors
  readonly #pipelines = new Map<string, { program: Program; pipeline: GPUComputePipeline }>()
  readonly #layouts: GPUBindGroupLayout[] = []
  readonly #groups = new Map<string, GPUBindGroup>()

  constructor(device: GPUDevice, errors: DeviceErrors) {
    this.#device = device
    this.#errors = errors
  }

  /** A program's pipeline, compiled when it is first asked for. */
  pipeline(program: Program): GPUComputePipeline {
    const { name, bindings } = program
    const known = this.#pipelines.get(name)
    if (known) {
      if (known.program !== program && textOf(known.program) !== textOf(program))
        throw new Error(`Two programs have the name ${name}; expected a name for each text.`)
      return known.pipeline
    }
    const pipeline = this.#device.createComputePipeline({
      label: name,
      layout: this.layout(Object.keys(bindings).length),
      compute: { module: this.#device.createShaderModule({ label: name, code: textOf(program) }), entryPoint: 'main' },
    })
    this.#pipelines.set(name, { program, pipeline })
    this.counts.pipelines++
    return pipeline
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
