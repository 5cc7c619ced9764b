import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FrameLink } from './frame-link.ts'
import type { Frame } from './framing.ts'

test('FrameLink delivers large messages whole and in order, and both ends see the close', async () => {
  const { there, frames, arrived, close } = await connectedLinks(3)
  const body = Uint8Array.from({ length: 5_000_000 }, (_, i) => i % 251)
  there.write({ id: 0 }, [body])
  there.write({ id: 1 })
  there.write({ id: 2 }, [body.subarray(0, 3), body])
  await arrived
  expect(frames.map(({ header, body }) => [header.id, body.length])).toEqual([
    [0, 5_000_000],
    [1, 0],
    [2, 5_000_003],
  ])
  const [first, , last] = frames as [Frame, Frame, Frame]
  expect(Buffer.compare(first.body, body)).toBe(0)
  expect(Buffer.compare(last.body.subarray(3), body)).toBe(0)
  await close()
})

test('FrameLink does not reuse its buffer before the socket has taken it', async () => {
  const messages = 40
  const { there, frames, arrived, close } = await connectedLinks(messages)
  const size = (id: number): number => (id % 4 === 3 ? 10 : 1_000_000 + id) // larger than a socket takes at once, and kept
  for (let id = 0; id < messages; id++) {
    there.write({ id }, [new Uint8Array(size(id)).fill(id)])
    if (id % 8 === 7) await Bun.sleep(5)
  }
  await arrived
  for (const [id, { header, body }] of frames.entries()) {
    expect([header.id, body.length]).toEqual([id, size(id)])
    expect(body.every(byte => byte === id)).toBe(true)
  }
  await close()
})

/** Two ends, and what comes to one of them; `arrived` once there are so many messages. */
async function connectedLinks(messages: number) {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-link-'))
  const unix = join(folder, 'a.sock')
  const frames: Frame[] = []
  const [opened, arrived, closed, left] = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const onFrame = (frame: Frame): void => {
    if (frames.push(frame) === messages) arrived?.resolve()
  }
  const here = new FrameLink({ onOpen: opened?.resolve, onFrame, onClose: () => closed?.resolve() })
  const listener = Bun.listen({ unix, socket: here.handlers })
  const there = new FrameLink({ onFrame() {}, onClose: () => left?.resolve() })
  await Bun.connect({ unix, socket: there.handlers })
  await opened?.promise
  const close = async (): Promise<void> => {
    there.end()
    await closed?.promise
    here.destroy()
    await left?.promise
    listener.stop()
    rmSync(folder, { recursive: true })
  }
  return { there, frames, arrived: arrived?.promise, close }
}
