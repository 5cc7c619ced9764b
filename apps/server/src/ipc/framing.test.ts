import { expect, test } from 'bun:test'
import { bytesOf, FrameReader, floatsOf, frameOf } from './framing.ts'

const stream = (): Buffer =>
  Buffer.concat([
    frameOf({ id: 1, name: 'größe' }, [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)]),
    frameOf({ id: 2 }),
    frameOf({ id: 3 }, [new Uint8Array(1000).fill(7)]),
  ])

test.each([1, 3, 7, 8, 64, 5000])('FrameReader reassembles frames from chunks of %i bytes', size => {
  const bytes = stream()
  const reader = new FrameReader()
  const frames = []
  for (let start = 0; start < bytes.length; start += size)
    frames.push(...reader.push(bytes.subarray(start, start + size)))
  expect(frames.map(({ header, body }) => [header, [...body]])).toEqual([
    [{ id: 1, name: 'größe' }, [1, 2, 3, 4]],
    [{ id: 2 }, []],
    [{ id: 3 }, Array(1000).fill(7)],
  ])
})

test('floatsOf reads floats at any byte offset', () => {
  const floats = Float32Array.of(1.5, -2, Number.POSITIVE_INFINITY)
  const shifted = Uint8Array.of(9, ...bytesOf(floats)).subarray(1)
  expect([...floatsOf(shifted)]).toEqual([...floats])
})

test('Frame.free releases a frame that arrived alone, and spares frames that arrived together', () => {
  const bodies = (chunks: readonly Uint8Array[]): number[][] => {
    const reader = new FrameReader()
    const [first, ...others] = chunks.flatMap(chunk => reader.push(chunk))
    first?.free()
    return [first, ...others].map(frame => (frame?.body.length ? [...frame.body] : []))
  }
  const received = (size: number): Uint8Array => new Uint8Array(frameOf({}, [new Uint8Array(size).fill(7)])) // no part of a pool
  const large = received(10_000)
  expect(bodies([received(3)])).toEqual([[]])
  expect(bodies([large.slice(0, 6000), large.slice(6000)])).toEqual([[]])
  const two = new Uint8Array(Buffer.concat([received(3), received(2)]))
  expect(bodies([two])).toEqual([
    [7, 7, 7],
    [7, 7],
  ])
  expect(bodies([two.slice(0, 20), two.slice(20)])).toEqual([
    [7, 7, 7],
    [7, 7],
  ])
})
