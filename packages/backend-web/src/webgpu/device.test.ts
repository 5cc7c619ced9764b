/** Starts of WebGPU that fail, each in a process of its own: drivers and packages are looked up once for each. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a program prints that tries to start WebGPU in `folder` and then tells what became of navigator.gpu. */
function attempt(folder: string, env: Record<string, string> = {}): string {
  const program = `const { requestGpuAdapter } = await import(${JSON.stringify(join(folder, 'webgpu/device.ts'))})
    await requestGpuAdapter().catch(error => console.log(error.message, '| gpu:', globalThis.navigator.gpu, typeof GPUBuffer))`
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 } as const
  return spawnSync(process.execPath, ['--no-install', '-e', program], options).stdout
}

describe('WebGPU outside a browser', () => {
  test.skipIf(process.platform !== 'linux')('WebGPU without a driver says so, and leaves no half of it behind', () => {
    const said = attempt(join(import.meta.dir, '..'), { VK_DRIVER_FILES: '/nonexistent' })
    expect(said).toMatch(/no GPU that Vulkan.*install-lavapipe\.sh.*\| gpu: undefined undefined/)
  })

  const broken: [what: string, files: Record<string, string>, message: RegExp][] = [
    ['without the package', {}, /needs the npm package webgpu.*npm install webgpu/],
    ['without a build for the machine', { 'index.js': "require('./none.node')" }, /has no build for/],
    ['that does not load', { 'index.js': "throw new Error('too old a libc')" }, /does not load: too old a libc/],
  ]
  for (const [what, files, message] of broken)
    test(`${what} says so`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'vitral-dawn-'))
      cpSync(join(import.meta.dir, '..'), folder, { recursive: true })
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(folder, 'node_modules/webgpu'), { recursive: true })
        writeFileSync(join(folder, 'node_modules/webgpu', name), text)
      }
      try {
        const said = attempt(folder)
        expect(said).toMatch(message)
        expect(said).not.toMatch(/Cannot find (module|package)/) // core takes these words for this package's absence
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
})
