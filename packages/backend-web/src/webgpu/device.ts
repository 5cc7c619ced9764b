/** WebGPU where there is none built in: Node and Bun get it from the npm package `webgpu`, which is Dawn. */

interface Dawn {
  /** Classes and constants that WebGPU programs expect as globals. */
  globals: Record<string, unknown>
  create(options: string[]): GPU
}

/**
 * Makes sure that `navigator.gpu` exists and has an adapter.
 *
 * @throws when it does not, with what to do
 */
export async function provideGpu(): Promise<void> {
  const builtIn = globalThis.navigator?.gpu
  const gpu = builtIn ?? (await dawn())
  const adapter = await gpu.requestAdapter().catch(() => null)
  if (!adapter) throw new Error(typeof document === 'undefined' ? noAdapter : noAdapterInBrowser)
}

async function dawn(): Promise<GPU> {
  if (typeof document !== 'undefined')
    throw new Error('this browser has no WebGPU; use a recent Chrome, Edge, Firefox or Safari, or the backend wasm.')
  const { globals, create } = await importDawn()
  const gpu = create([])
  Object.assign(globalThis, globals)
  // Node 20 has no navigator at all; Bun's has fields that others may read.
  if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true })
  return gpu
}

async function importDawn(): Promise<Dawn> {
  const name = 'webgpu' // not a literal: bundlers must not follow it into a native module
  try {
    return (await import(/* @vite-ignore */ name)) as Dawn
  } catch (error) {
    throw new Error(
      `WebGPU outside a browser needs the package webgpu; add it with npm install webgpu. (${(error as Error).message})`,
    )
  }
}

const noAdapter =
  'there is no GPU that Vulkan, Metal or Direct3D can reach. Without a GPU, Mesa emulates one: scripts/install-lavapipe.sh ' +
  'installs it on Debian 12; then set VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json and XDG_RUNTIME_DIR=/tmp.'

const noAdapterInBrowser =
  'the browser has WebGPU but gives no adapter; its chrome://gpu page, or about:support, says why.'
