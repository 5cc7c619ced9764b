/** Timing of key comparisons: Welch's t between keys that differ everywhere and keys that differ in the last byte only. */
import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { findKey } from './authenticate.ts'

const samples = Number(process.env.TIMING_SAMPLES ?? 20_000)
/** Comparisons in a sample: the clock's noise is larger than a single one. */
const repeats = 100

const digest = createHash('sha256').update('the key').digest()
const changed = (at: number): Buffer => {
  const copy = Buffer.from(digest)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

/** Welch's t of nanoseconds, without the slowest tenth of both, which something else delayed. */
function welch(a: number[], b: number[]): number {
  const bound = [...a, ...b].sort((x, y) => x - y)[Math.floor((a.length + b.length) * 0.9)] as number
  const [first, second] = [a, b].map(times => {
    const kept = times.filter(time => time <= bound)
    const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length
    const variance = kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (kept.length - 1)
    return { mean, error: variance / kept.length }
  }) as [{ mean: number; error: number }, { mean: number; error: number }]
  return Math.abs(first.mean - second.mean) / Math.sqrt(first.error + second.error)
}

function measure(compare: (digest: Buffer) => unknown): number {
  const inputs = [changed(0), changed(digest.length - 1)] as const
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < 2 * samples + 2000; i++) {
    const which = Math.random() < 0.5 ? 0 : 1
    const started = Bun.nanoseconds()
    for (let repeat = 0; repeat < repeats; repeat++) compare(inputs[which])
    // The first ones are before the code is compiled.
    if (i >= 2000) times[which].push(Bun.nanoseconds() - started)
  }
  return welch(...times)
}

test('authentication takes the same time however much of a key is right', () => {
  // With twenty thousand samples each, chance alone gives 4.5 once in a hundred thousand times; three tries allow for noise.
  const known = [{ name: 'a', digest }]
  const tries = [1, 2, 3].map(() => measure(candidate => findKey(known, candidate)))
  expect(Math.min(...tries)).toBeLessThan(4.5)
})

test('the timing test detects a comparison that stops at the first difference', () => {
  const endsEarly = (candidate: Buffer): boolean => {
    for (let at = 0; at < digest.length; at++) if (digest[at] !== candidate[at]) return false
    return true
  }
  expect(measure(endsEarly)).toBeGreaterThan(4.5)
})

test('findKey finds a key by its digest, at any position', () => {
  const names = ['a', 'b', 'c']
  const known = names.map(name => ({ name, digest: createHash('sha256').update(name).digest() }))
  expect(names.map(name => findKey(known, createHash('sha256').update(name).digest())?.name)).toEqual(names)
  expect(findKey(known, digest)).toBeUndefined()
})
