/** Choosing the backend: each name knows which package has it, and imports that package only when asked for. */

import { engine, setBackend } from '@tensorflow/tfjs-core'
import { hasNative, setNativeThreads, startNative, startTensorflow } from '#native-backends'
import { checkInteger } from './check.ts'

/** Names of the backends. */
export type BackendName = 'native' | 'tensorflow' | 'webgpu' | 'wasm' | 'cpu'

/** Settings of a backend. */
export interface BackendOptions {
  /**
   * Threads of the kernels of native and wasm, from 1 to 256; the other backends have none of ours.
   *
   * @default the processors this process may use
   */
  threads?: number
}

/** The backend that was chosen, and why not others. */
export interface BackendChoice {
  /** The backend that is current now. */
  name: BackendName
  /** With 'auto': why each backend before the chosen one could not start. */
  passedOver: { name: BackendName; reason: string }[]
}

/** How each backend is registered with tfjs-core, and made ready; `chosen` is whether a user named it. */
const starters: Record<BackendName, (chosen: boolean) => Promise<void>> = {
  native: startNative,
  tensorflow: startTensorflow,
  webgpu: async chosen => (await import('@vitral/backend-web')).startWebgpu({ emulation: chosen }),
  wasm: async () => (await import('@vitral/backend-web')).startWasm(),
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
  },
}

/** How the backends whose kernels are ours take a number of threads. */
const threadSetters: Partial<Record<BackendName, (threads: number) => Promise<void>>> = {
  native: setNativeThreads,
  wasm: async threads => (await import('@vitral/backend-web')).setWasmThreads(threads),
}

/** What to install for each. */
const packages: Record<BackendName, string> = {
  native: '@vitral/backend-node',
  tensorflow: '@vitral/backend-node',
  webgpu: '@vitral/backend-web',
  wasm: '@vitral/backend-web',
  cpu: '@tensorflow/tfjs-backend-cpu',
}

/** Fastest first; a GPU may stand behind WebGPU or not, which its start finds out. */
const automatic: readonly BackendName[] = [...(hasNative ? (['native'] as const) : []), 'webgpu', 'wasm', 'cpu']

/**
 * Starts a backend and makes it the current one. Choose once, before any model is made: tensors stay where they are.
 *
 * @param name 'auto' takes the first that starts of native (not in browsers), webgpu, wasm and cpu. It passes over a
 *   WebGPU adapter that a program on the CPU emulates; in Node and Bun WebGPU is there where the package webgpu is.
 * @param options see the type
 * @returns what was chosen and, with 'auto', why not the ones before it.
 * @throws when the backend named cannot start, with its own reason and what to install; when it cannot have so many
 *   threads.
 * @example
 * await useBackend('auto') // { name: 'native', passedOver: [] }
 */
export async function useBackend(name: 'auto' | BackendName, { threads }: BackendOptions = {}): Promise<BackendChoice> {
  if (name !== 'auto' && !Object.hasOwn(starters, name))
    throw new Error(`There is no backend '${name}'; choose 'auto' or one of ${Object.keys(starters).join(', ')}.`)
  if (threads !== undefined) checkInteger('useBackend: threads', threads, 1, 256)
  const passedOver: BackendChoice['passedOver'] = []
  for (const candidate of name === 'auto' ? automatic : [name]) {
    try {
      await start(candidate, name !== 'auto')
    } catch (error) {
      passedOver.push({ name: candidate, reason: reasonOf(candidate, error) })
      continue
    }
    if (threads !== undefined) await threadSetters[candidate]?.(threads)
    return { name: candidate, passedOver }
  }
  const reasons = passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('\n')
  throw new Error(name === 'auto' ? `No backend could start.\n${reasons}` : `The backend ${reasons}`)
}

async function start(name: BackendName, chosen: boolean): Promise<void> {
  await starters[name](chosen)
  // tfjs only warns when a backend's factory fails, and answers false.
  if (!(await setBackend(name))) throw new Error('its factory failed; the warning above says why.')
  if (name === 'cpu') Object.assign(engine().backend, { firstUse: false }) // or it would print an advertisement
}

function reasonOf(name: BackendName, error: unknown): string {
  const { message, code } = error as Error & { code?: string }
  const notFound = code === 'ERR_MODULE_NOT_FOUND' || /Cannot find (module|package)/.test(message)
  const missing = notFound && message.includes(`'${packages[name]}'`) // and not something that this package needs
  return missing
    ? `${packages[name]} is not installed; add it with npm install ${packages[name]}. (${message})`
    : message
}
