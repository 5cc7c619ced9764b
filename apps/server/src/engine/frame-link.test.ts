import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FrameLink } from './frame-link.ts'
import type { Frame } from './framing.ts'

test('messages larger than a socket takes at once arrive whole and in order, and both ends see the close', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-link-'))
  const unix = join(folder, 'a.sock')
  const frames: Frame[] = []
  const [opened, arrived, closed, left] = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const onFrame = (frame: Frame): void => {
    if (frames.push(frame) === 3) arrived?.resolve()
  }
  const here = new FrameLink({ onOpen: opened?.resolve, onFrame, onClose: () => closed?.resolve() })
  const listener = Bun.listen({ unix, socket: here.handlers })
  const there = new FrameLink({ onFrame() {}, onClose: () => left?.resolve() })
  await Bun.connect({ unix, socket: there.handlers })
  await opened?.promise
  const body = Uint8Array.from({ length: 5_000_000 }, (_, i) => i % 251)
  there.write({ id: 0 }, [body])
  there.write({ id: 1 })
  there.write({ id: 2 }, [body.subarray(0, 3), body])
  await arrived?.promise
  expect(frames.map(({ header, body }) => [header.id, body.length])).toEqual([
    [0, 5_000_000],
    [1, 0],
    [2, 5_000_003],
  ])
  const [first, , last] = frames as [Frame, Frame, Frame]
  expect(Buffer.compare(first.body, body)).toBe(0)
  expect(Buffer.compare(last.body.subarray(3), body)).toBe(0)
  there.end()
  await closed?.promise
  here.destroy()
  await left?.promise
  listener.stop()
  rmSync(folder, { recursive: true })
})
