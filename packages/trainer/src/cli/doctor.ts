/** `vitral doctor`: what this machine can compute with, and why not with the rest. */
import { availableParallelism, cpus } from 'node:os'
import { type BackendName, useBackend } from '@vitral/core'
import { usesNativeImages } from '@vitral/datasets'
import { type Command, parse, print } from './command.ts'

interface Device {
  kind: 'cpu'
  name: string
  /** Processors that this process may use. */
  cores: number
  /** Of the native kernels, when they are there. */
  threads?: number
  instructionSet?: string
}

interface BackendReport {
  name: BackendName
  available: boolean
  /** Why it is not available. */
  reason?: string
}

const names: BackendName[] = ['native', 'tensorflow', 'webgpu', 'wasm', 'cpu']

export const doctor: Command = {
  summary: 'shows which backends start on this machine, and why the others do not',
  help: `Usage: vitral doctor [--json]

Starts every backend and prints which ones can be used, with the reason for those that cannot.

  --json    {backends: [{name, available, reason}], devices: [{kind, name, cores, threads, instructionSet}], precision, nativeImages}
  --help    this text`,

  async run(args) {
    const { values } = parse(args, {})
    const backends: BackendReport[] = []
    for (const name of names) backends.push(await probe(name))
    const devices = [await cpu(backends.some(({ name, available }) => name === 'native' && available))]
    const native = devices.some(({ instructionSet }) => instructionSet)
    const precision = ['float32', ...(native ? ['bfloat16', 'int8'] : [])]
    const nativeImages = await usesNativeImages()
    if (values.json) print(JSON.stringify({ backends, devices, precision, nativeImages }))
    else {
      for (const { name, available, reason } of backends)
        print(`${available ? '✓' : '✗'} ${name.padEnd(10)}${reason ? ` ${reason}` : ''}`)
      for (const { name, cores, threads = cores, instructionSet } of devices)
        print([name, `${threads} threads`, instructionSet, ...precision].filter(Boolean).join(', '))
      print(`images are transformed by ${nativeImages ? 'native' : 'plain TypeScript'} functions`)
    }
    return backends.some(({ available }) => available) ? 0 : 1
  },
}

async function probe(name: BackendName): Promise<BackendReport> {
  try {
    await useBackend(name)
    return { name, available: true }
  } catch (error) {
    return { name, available: false, reason: (error as Error).message.replaceAll(/\s*\n\s*/g, ' ') }
  }
}

async function cpu(native: boolean): Promise<Device> {
  if (!native) return { kind: 'cpu', name: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() }
  const { deviceInfo } = await import('@vitral/backend-node')
  const { cpu: name, ...info } = deviceInfo()
  return { kind: 'cpu', name, ...info }
}
