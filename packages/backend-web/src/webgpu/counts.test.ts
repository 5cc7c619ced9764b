/** How much a pass of ViT-Ti/4 has the device do: numbers that do not depend on any clock or GPU. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { PassCounts } from '../../test/webgpu-pass.ts'

/** The lines that a program of the folder test prints. */
function linesOf(program: string, args: readonly string[], count: number): string[] {
  const path = join(import.meta.dir, '../../test', program)
  const { stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8', timeout: 120_000 })
  const lines = stdout.trim().split('\n').filter(Boolean)
  if (lines.length !== count) throw new Error(`${program} printed ${lines.length} lines; expected ${count}. ${stderr}`)
  return lines
}

/** The counts of each run. */
const counted = (...args: string[]): PassCounts[] =>
  linesOf('webgpu-pass.ts', args, Number(args.at(-1))).map(line => JSON.parse(line) as PassCounts)

describe('what the device is given to do', () => {
  test('a forward pass of one image: 89 dispatches in one submission, and nothing made anew once it is warm', () => {
    const warm = counted('tiny', 'forward', '1', '3').at(-1) as PassCounts
    expect(warm).toMatchObject({ submits: 1, bindGroups: 0, pipelines: 0 })
    expect(warm.dispatches).toBeLessThanOrEqual(90)
    expect(warm.bytesBound).toBeLessThanOrEqual(40e6)
  }, 120_000)

  test('a training step on eight images with gradNorm and Adam: 300 dispatches, in 180 MB', () => {
    const warm = counted('tiny', 'train', '8', '4').at(-1) as PassCounts
    expect(warm).toMatchObject({ submits: 1, bindGroups: 0, pipelines: 0 })
    expect(warm.dispatches).toBeLessThanOrEqual(320)
    expect(warm.bytesBound).toBeLessThanOrEqual(900e6)
    expect(warm.bytesAllocated).toBeLessThanOrEqual(180e6)
  }, 120_000)

  test('a thousand training steps take no more memory than the third', () => {
    const steps = counted('small', 'train', '2', '1000')
    const [third, last] = [steps[2] as PassCounts, steps.at(-1) as PassCounts]
    expect(last.bytesAllocated).toBe(third.bytesAllocated)
    expect(last.bytesLive).toBe(third.bytesLive)
    expect(last.tensors).toBe(third.tensors)
    expect(steps.slice(3).reduce((made, { bindGroups }) => made + bindGroups, 0)).toBe(0)
  }, 120_000)

  test('memory that ends is an error that names the op, and nothing is read from then on', () => {
    const [ofOp, ofRead] = linesOf('webgpu-out-of-memory.ts', [], 2)
    expect(ofOp).toMatch(
      /^Fill on webgpu: The GPU is out of memory of Fill: .*start it anew with useBackend\('webgpu'\)/,
    )
    expect(ofRead).toMatch(/^Reading a tensor on webgpu: The GPU is out of memory of Fill/)
  }, 120_000)
})
