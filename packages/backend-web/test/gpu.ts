/** Whether this machine has a WebGPU adapter, asked in a process of its own: a driver that crashes must not end the tests. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const lavapipe = '/usr/share/vulkan/icd.d/lvp_icd.json'

/**
 * Sets the environment for Mesa's software GPU where it is installed, and tries to start WebGPU.
 *
 * @returns why it cannot be used, or undefined when it can
 */
export function whyNoGpu(): string | undefined {
  if (existsSync(lavapipe)) process.env.VK_DRIVER_FILES ??= lavapipe
  process.env.XDG_RUNTIME_DIR ??= '/tmp'
  const program = `const { startWebgpu } = await import(${JSON.stringify(`${import.meta.dir}/../src/index.ts`)}); await startWebgpu()`
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 })
  if (status === 0) return undefined
  return /error: (.*)/.exec(stderr)?.[1] ?? `the process that tried ended with ${status}`
}
