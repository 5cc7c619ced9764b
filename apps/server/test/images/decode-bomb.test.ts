/** Images that take a decoder long: a progressive JPEG whose last scan is repeated hundreds of times. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import sharp from 'sharp'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { failure, post } from '../support/requests.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

let server: RunningServer
beforeAll(async () => {
  const models = [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu' as const }]
  const timeouts = { requestMilliseconds: 8000 }
  server = await startServer({ port: 0, log: false, models, engine: { decodeSeconds: 1 }, timeouts })
}, 60_000)
afterAll(async () => {
  await server.stop()
  removeFolders()
})

/** Every scan is decoded over the whole image. */
async function bomb(scans: number): Promise<Uint8Array<ArrayBuffer>> {
  const picture = sharp({ create: { width: 6000, height: 3900, channels: 3, background: '#a63' } })
  const jpeg = await picture.jpeg({ progressive: true, quality: 10 }).toBuffer()
  const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]))
  const scan = Buffer.from(jpeg.subarray(last, -2))
  scan[9] = 0 // a first one of all bits and not the last bit's, which may come only once
  const repeated = Array.from({ length: scans }, () => scan)
  return Uint8Array.from(Buffer.concat([jpeg.subarray(0, -2), ...repeated, jpeg.subarray(-2)]))
}

test('64 slow progressive JPEGs are rejected as images, and health checks are answered meanwhile', async () => {
  const image = await bomb(600)
  expect(image.length).toBeLessThan(10 * 2 ** 20)
  const url = new URL('v1/models/tiny/classify', server.url)
  let isOver = false
  const times: number[] = []
  const asking = (async () => {
    while (!isOver) {
      const start = performance.now()
      expect((await fetch(new URL('v2/health/live', server.url))).status).toBe(200)
      times.push(performance.now() - start)
      await Bun.sleep(5)
    }
  })()
  const refused = await Promise.all(Array.from({ length: 64 }, async () => failure(await fetch(url, post(image)))))
  isOver = true
  await asking
  for (const [status, code] of refused) {
    // Those that wait behind the others may have no time left.
    expect([422, 429, 503, 504]).toContain(status)
    expect(['image_too_slow', 'queue_full', 'queue_timeout', 'deadline_exceeded', 'too_many_bytes']).toContain(code)
  }
  // One that is alone has the time to be found out, however busy the machine is.
  expect(await failure(await fetch(url, post(image)))).toEqual([422, 'image_too_slow'])
  expect(times.sort((a, b) => a - b)[times.length >> 1]).toBeLessThan(50)
  const small = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#c84' } })
    .jpeg()
    .toBuffer()
  expect((await fetch(url, post(Uint8Array.from(small)))).status).toBe(200)
}, 120_000)
