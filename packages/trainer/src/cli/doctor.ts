/** `vitral doctor`: what this machine can compute with, and why not with the rest. */
import { availableParallelism, cpus } from 'node:os'
import { type BackendName, useBackend } from '@vitral/core'
import { jsonLine } from '@vitral/core/text'
import { usesNativeImages } from '@vitral/datasets/images'
import { type Command, defineCommand, print } from './command.ts'

interface Processor {
  kind: 'cpu'
  name: string
  /** Processors that this process may use. */
  cores: number
  /** Threads of the native kernels, when they are there. */
  threads?: number
  instructionSet?: string
}

/** What the backend webgpu runs on. */
interface Gpu {
  kind: 'webgpu'
  name: string
  /** Whether a program on the CPU plays it. */
  emulated: boolean
  /** Those that kernels use. */
  features: string[]
  /** Bytes, but for the numbers of buffers and of lanes. */
  limits: Record<string, number>
  subgroupLanes?: [least: number, most: number]
}

interface BackendReport {
  name: BackendName
  available: boolean
  /** Why it is not available. */
  reason?: string
}

const names: BackendName[] = ['native', 'tensorflow', 'webgpu', 'wasm', 'cpu']

export const doctor: Command = defineCommand({
  summary: 'shows which backends start on this machine, and why the others do not',
  usage: ['doctor'],
  about: `Starts every backend and prints which ones can be used, with the reason for those that cannot; then the processor, and
WebGPU's adapter with its limits and features, and whether it is a GPU or an emulation on the CPU.`,
  json: "{backends: [{name, available, reason}], devices, precision, nativeImages}; of a device {kind: 'cpu', name, cores, threads, instructionSet} or {kind: 'webgpu', name, emulated, features, limits, subgroupLanes}",
  options: {},

  async run({ values }) {
    const backends: BackendReport[] = []
    for (const name of names) backends.push(await probe(name))
    const starts = (wanted: BackendName) => backends.some(({ name, available }) => name === wanted && available)
    const processor = await cpu(starts('native'))
    const gpus = starts('webgpu') ? [await webgpu()] : []
    const native = processor.instructionSet !== undefined
    const ofProcessor = ['float32', ...(native ? ['bfloat16', 'int8'] : [])]
    const precision = [...ofProcessor, ...(gpus.length > 0 ? ['float16'] : [])]
    const nativeImages = await usesNativeImages()
    if (values.json) print(jsonLine({ backends, devices: [processor, ...gpus], precision, nativeImages }))
    else {
      for (const { name, available, reason } of backends)
        print(`${available ? '✓' : '✗'} ${name.padEnd(10)}${reason ? ` ${reason}` : ''}`)
      const { name, cores, threads = cores, instructionSet } = processor
      print([name, `${threads} threads`, instructionSet, ...ofProcessor].filter(Boolean).join(', '))
      for (const gpu of gpus) printGpu(gpu)
      print(`images are transformed by ${nativeImages ? 'native' : 'plain TypeScript'} functions`)
    }
    return backends.some(({ available }) => available) ? 0 : 1
  },
})

async function probe(name: BackendName): Promise<BackendReport> {
  try {
    await useBackend(name)
    return { name, available: true }
  } catch (error) {
    return { name, available: false, reason: (error as Error).message.replaceAll(/\s*\n\s*/g, ' ') }
  }
}

function printGpu({ name, emulated, limits, features, subgroupLanes }: Gpu): void {
  print(`webgpu: ${name}${emulated ? '; no GPU, but emulated on the CPU, slower than wasm' : ''}`)
  print(
    `  limits: ${Object.entries(limits)
      .map(([limit, value]) => `${limit} ${value}`)
      .join(', ')}`,
  )
  const lanes = subgroupLanes && `; subgroups of ${[...new Set(subgroupLanes)].join(' to ')} lanes`
  print(`  features: ${features.join(', ') || 'none'}${lanes ?? ''}`)
}

async function webgpu(): Promise<Gpu> {
  const { webgpuAdapter } = await import('@vitral/backend-web')
  return { kind: 'webgpu', ...(await webgpuAdapter()) }
}

async function cpu(native: boolean): Promise<Processor> {
  if (!native) return { kind: 'cpu', name: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() }
  const { deviceInfo } = await import('@vitral/backend-node')
  const { cpu: name, ...info } = deviceInfo()
  return { kind: 'cpu', name, ...info }
}
