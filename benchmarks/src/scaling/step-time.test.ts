import { describe, expect, test } from 'bun:test'
import { allReduceTime, type Device, stepTime } from './step-time.ts'

const device: Device = { forward: 1, backward: 2, update: 0.5, spread: 0 }
const job = { gradientBytes: 100, bucketBytes: 25 }

test('a ring passes almost twice the bytes through each link, in 2·(N − 1) messages', () => {
  expect(allReduceTime(100, 1, { latency: 1, bandwidth: 1 })).toBe(0)
  expect(allReduceTime(100, 2, { latency: 0, bandwidth: 10 })).toBeCloseTo(10, 10)
  expect(allReduceTime(100, 4, { latency: 0.5, bandwidth: 10 })).toBeCloseTo(6 * 0.5 + 15, 10)
})

describe('a step', () => {
  test('a step of one device takes its own time', () => {
    expect(stepTime(1, device, { latency: 1, bandwidth: 1 }, job)).toEqual({
      ...{ step: 3.5, communication: 0, hidden: 1, efficiency: 1 },
    })
  })

  test('a step hides all buckets but the last where the network is fast enough', () => {
    // A bucket takes 25 bytes · 2 · 1/2 / 100 = 0.25 s, less than the 0.5 s between two of them.
    const { step, hidden, communication } = stepTime(2, device, { latency: 0, bandwidth: 100 }, job)
    expect(communication).toBeCloseTo(1, 10)
    expect(step).toBeCloseTo(3.5 + 0.25, 10)
    expect(hidden).toBeCloseTo(0.75, 10)
  })

  test('a step waits for its buckets where the network is slow', () => {
    // Each takes 2.5 s: the first begins at 1.5 s, the last ends at 11.5 s, and the update follows.
    const { step, efficiency } = stepTime(2, device, { latency: 0, bandwidth: 10 }, job)
    expect(step).toBeCloseTo(12, 10)
    expect(efficiency).toBeCloseTo(3.5 / 12, 10)
  })

  test('a step waits for the slowest device', () => {
    const { step } = stepTime(8, { ...device, spread: 0.02 }, { latency: 0, bandwidth: Infinity }, job)
    expect(step).toBeCloseTo(3.5 * (1 + 0.02 * Math.sqrt(2 * Math.log(8))), 10)
  })
})
