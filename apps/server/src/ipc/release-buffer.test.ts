import { expect, test } from 'bun:test'
import { releaseBuffer } from './release-buffer.ts'

test('releaseBuffer frees an array that owns its buffer, also twice', () => {
  const bytes = new Uint8Array(1000)
  releaseBuffer(bytes)
  releaseBuffer(bytes)
  expect(bytes.length).toBe(0)
})

test('releaseBuffer leaves a buffer that others may share', () => {
  const whole = Uint8Array.of(1, 2, 3)
  for (const part of [whole.subarray(1), whole.subarray(0, 2), whole.subarray(0, 0)]) releaseBuffer(part)
  releaseBuffer(Buffer.from('of a pool'))
  expect([...whole]).toEqual([1, 2, 3])
  expect(Buffer.from('of a pool').toString()).toBe('of a pool')
})
