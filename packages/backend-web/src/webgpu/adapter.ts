/** What a WebGPU adapter is and can do, and whether it is a GPU at all: browsers and Vulkan also offer emulations. */

/** A WebGPU adapter, as `vitral doctor` shows it. */
export interface WebgpuAdapter {
  /** Such as 'nvidia ampere', with what else the driver tells. */
  name: string
  /** Whether a program on the CPU plays the GPU, as SwiftShader, llvmpipe (lavapipe) and Microsoft's WARP do. */
  emulated: boolean
  /** The features of WebGPU that it offers and kernels use, such as 'shader-f16'. */
  features: string[]
  /** The limits that tensors and kernels meet: bytes, but for the numbers of buffers and of lanes. */
  limits: Record<LimitName, number>
  /** How many lanes a subgroup has, where the adapter tells. */
  subgroupLanes?: [least: number, most: number]
}

const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const
type LimitName = (typeof limitNames)[number]

/** The features that a device is asked for where its adapter has them; the last is Dawn's, outside of browsers. */
export const usedFeatures: readonly string[] = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'timestamp-query',
  'bgra8unorm-storage',
  'chromium-experimental-subgroup-matrix',
]

/** Adapters that are programs, for browsers whose `isFallbackAdapter` is not there or says no. */
const emulations = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render|\bwarp\b/i

/**
 * Describes an adapter. WebGPU's own mark of an emulation is `GPUAdapterInfo.isFallbackAdapter`, which was a field of
 * the adapter in older browsers.
 */
export function describeAdapter(adapter: GPUAdapter): WebgpuAdapter {
  // Safari and older versions of Firefox and Chrome have no `info`, or not all of its fields.
  const info: Partial<GPUAdapterInfo> & { isFallbackAdapter?: boolean } = adapter.info ?? {}
  const { isFallbackAdapter = false } = adapter as { isFallbackAdapter?: boolean }
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = info
  const name = [vendor, architecture, device, description].filter(Boolean).join(' ') || 'of an unknown maker'
  return {
    name,
    emulated: isFallbackAdapter || info.isFallbackAdapter === true || emulations.test(name),
    features: usedFeatures.filter(feature => adapter.features.has(feature)),
    ...(subgroupMinSize && subgroupMaxSize && { subgroupLanes: [subgroupMinSize, subgroupMaxSize] }),
    limits: Object.fromEntries(limitNames.map(limit => [limit, adapter.limits[limit]])) as Record<LimitName, number>,
  }
}
