/** The `tensorflow` backend: TensorFlow's own kernels, through the tfjs-node package that the user has installed. */
import { createRequire } from 'node:module'
import { Tensor } from '@tensorflow/tfjs-core'

/** The one that can use a GPU comes first. Each registers the backend with tfjs-core as it is loaded. */
const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']

/**
 * Loads the package that registers the backend `tensorflow`; `useBackend('tensorflow')` of @vitral/core calls it.
 *
 * @throws when neither package is installed or can be loaded, or when it came with a second tfjs-core
 */
export async function startTensorflow(): Promise<void> {
  const failures: string[] = []
  for (const name of packages) {
    try {
      return requireOneCore(createRequire(import.meta.url)(name) as Loaded)
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      const reason = message.split('\n')[0] ?? ''
      const missing = code === 'MODULE_NOT_FOUND' && reason.includes(`'${name}'`)
      failures.push(`${name} ${missing ? 'is not there' : `fails: ${reason}`}`)
    }
  }
  throw new Error(
    `TensorFlow is not there: ${failures.join('; ')}. Install it by: npm install @tensorflow/tfjs-node@4.22.0 (or, with ` +
      'CUDA 11, @tensorflow/tfjs-node-gpu@4.22.0)',
  )
}

interface Loaded {
  Tensor: unknown
  version: Record<string, string>
}

/** Two copies of tfjs-core share one engine, but their tensors are of different classes. */
function requireOneCore(loaded: Loaded): void {
  if (loaded.Tensor !== Tensor)
    throw new Error(`it brought a tfjs-core of its own, version ${loaded.version['tfjs-core']}; Vitral's is 4.22.0.`)
}
