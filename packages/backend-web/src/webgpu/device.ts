/** WebGPU where there is none built in: Node and Bun get it from the npm package `webgpu`, which is Dawn. */
import { onNode } from '../runtime.ts'
import { usedFeatures } from './adapter.ts'

interface Dawn {
  /** Classes and constants that WebGPU programs expect as globals. */
  globals: Record<string, unknown>
  create(options: string[]): GPU
}

/**
 * Makes sure that `navigator.gpu` exists and has an adapter. When it fails it leaves the globals as they were.
 *
 * @returns the adapter that the backend takes
 * @throws when there is none, with what to do
 */
export async function requestGpuAdapter(): Promise<GPUAdapter> {
  const builtIn = globalThis.navigator?.gpu
  if (!builtIn && !onNode) throw new Error(isSecureContext ? noWebGpu : notSecure)
  const dawn = builtIn ? undefined : await importDawn()
  const gpu = builtIn ?? (dawn as Dawn).create([])
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)
  if (!adapter) throw new Error(onNode ? noAdapter : noAdapterInBrowser)
  if (dawn) setGlobals(gpu, dawn)
  return adapter
}

/** The adapter's device, with the features that kernels use and all that it can do. */
export async function requestGpuDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {}
  for (const name in adapter.limits) {
    const limit = adapter.limits[name as keyof GPUSupportedLimits]
    if (typeof limit === 'number') requiredLimits[name] = limit
  }
  const requiredFeatures = [...adapter.features].filter(feature => usedFeatures.includes(feature)) as GPUFeatureName[]
  return await adapter.requestDevice({ requiredFeatures, requiredLimits })
}

function setGlobals(gpu: GPU, { globals }: Dawn): void {
  Object.assign(globalThis, globals)
  // Node 20 has no navigator at all; Bun's has fields that others may read.
  if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true })
}

async function importDawn(): Promise<Dawn> {
  const name = 'webgpu' // not a literal: bundlers must not follow it into a native module
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Dawn
  } catch (cause) {
    throw new Error(whyNoDawn(cause as Error & { code?: string }), { cause })
  }
}

/** Not the words of the import itself, which would read as if this package were the missing one. */
function whyNoDawn({ code, message }: Error & { code?: string }): string {
  if (code === 'ERR_MODULE_NOT_FOUND')
    return 'WebGPU outside a browser needs the npm package webgpu (Dawn), which is not there; add it with npm install webgpu.'
  if (code === 'MODULE_NOT_FOUND')
    return `the npm package webgpu (Dawn) has no build for ${process.platform} on ${process.arch}; use the backend wasm or native.`
  return `the npm package webgpu (Dawn) does not load: ${message}`
}

const noWebGpu = 'this browser has no WebGPU; use a recent Chrome, Edge, Firefox or Safari, or the backend wasm.'

const notSecure = 'browsers give WebGPU only to pages from https or localhost, and this page is from neither.'

const noAdapter =
  'there is no GPU that Vulkan, Metal or Direct3D can reach. Without a GPU, Mesa emulates one: scripts/install-lavapipe.sh ' +
  'installs it on Debian 12; then set VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json and XDG_RUNTIME_DIR=/tmp.'

const noAdapterInBrowser =
  'the browser has WebGPU but gives no adapter; its chrome://gpu page, or about:support, says why.'
