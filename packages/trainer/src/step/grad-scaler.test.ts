import { beforeAll, expect, test } from 'bun:test'
import { memory, tensor1d, type Variable, variable } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { createOptimizer } from '../optimizers/index.ts'
import { GradScaler } from './grad-scaler.ts'

beforeAll(() => useBackend('cpu'))

/** Steps with gradients of which the given ones overflow; the scale after each. */
async function trace(scaler: GradScaler, steps: number, overflowing: readonly number[]): Promise<number[]> {
  const scales: number[] = []
  for (let step = 0; step < steps; step++) {
    const grads = await scaler.unscale({
      a: tensor1d([1, overflowing.includes(step) ? Infinity : 2]),
      b: tensor1d([3]),
    })
    expect(scaler.foundNonFinite).toBe(overflowing.includes(step))
    for (const gradient of Object.values(grads)) gradient.dispose()
    scaler.update()
    scales.push(scaler.scale)
  }
  return scales
}

test("the scale's way is that of torch's _amp_update_scale_", async () => {
  const scaler = new GradScaler({ growthInterval: 3 })
  expect(scaler.scale).toBe(65536)
  // Halved at once; doubled after the third good step in a row, counted anew after each change.
  expect(await trace(scaler, 12, [0, 1, 4, 9])).toEqual([
    32768, 16384, 16384, 16384, 8192, 8192, 8192, 16384, 16384, 8192, 8192, 8192,
  ])
  expect(scaler.state()).toEqual({ scale: 8192, growthTracker: 2 })
})

test('the scale doubles after 2000 good steps by default', async () => {
  const scaler = new GradScaler()
  scaler.load({ scale: 65536, growthTracker: 1998 })
  expect(await trace(scaler, 3, [])).toEqual([65536, 131072, 131072])
  const fresh = new GradScaler()
  for (let step = 0; step < 1999; step++) fresh.update()
  expect(fresh.scale).toBe(65536)
  fresh.update()
  expect(fresh.scale).toBe(131072)
})

test('it grows to no infinity, and goes on from its state', async () => {
  const scaler = new GradScaler({ initScale: 2 ** 127, growthInterval: 1 })
  scaler.update()
  expect(scaler.scale).toBe(2 ** 127)
  const [one, other] = [new GradScaler({ growthInterval: 3 }), new GradScaler({ growthInterval: 3 })]
  await trace(one, 4, [1])
  other.load(JSON.parse(JSON.stringify(one.state())))
  expect(await trace(other, 5, [])).toEqual(await trace(one, 5, []))
})

test('gradients come back unscaled, and an overflow leaves parameters and optimizer as they are', async () => {
  const parameters = new Map<string, Variable>([['a', variable(tensor1d([1, 1]))]])
  const optimizer = createOptimizer('adam', parameters, { lr: 0.1 })
  const scaler = new GradScaler({ initScale: 1024 })
  const before = memory().numTensors
  const good = await scaler.unscale({ a: tensor1d([1024, -512]) })
  expect([...((await good.a?.data()) ?? [])]).toEqual([1, -0.5])
  expect(scaler.step(optimizer, good)).toBe(true)
  scaler.update()
  const moved = [...((await parameters.get('a')?.data()) ?? [])]
  expect(moved).not.toEqual([1, 1])
  const { steps } = await optimizer.state()

  for (const bad of [Infinity, -Infinity, Number.NaN]) {
    const grads = await scaler.unscale({ a: tensor1d([1, bad]) })
    expect(scaler.step(optimizer, grads)).toBe(false)
    scaler.update()
    grads.a?.dispose()
  }
  expect([...((await parameters.get('a')?.data()) ?? [])]).toEqual(moved)
  expect((await optimizer.state()).steps).toEqual(steps)
  expect(scaler.scale).toBe(128)
  good.a?.dispose()
  expect(memory().numTensors).toBe(before)
})

test('options that cannot be used are refused', () => {
  // 2¹²⁸ is infinite in float32, and would be so however often it is halved.
  for (const initScale of [0, Number.NaN, 2 ** 128, 2 ** -150])
    expect(() => new GradScaler({ initScale })).toThrow(
      `GradScaler: initScale is ${initScale}; expected a number above 0 that float32 holds.`,
    )
  expect(() => new GradScaler({ growthFactor: 1 })).toThrow('growthFactor is 1; expected a number above 1')
  expect(() => new GradScaler({ backoffFactor: 1 })).toThrow('backoffFactor is 1; expected a number between 0 and 1')
  expect(() => new GradScaler({ growthInterval: 0.5 })).toThrow('growthInterval is 0.5; expected a whole number')
})
