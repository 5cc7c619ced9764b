/** Endless bodies, in chunks of one byte or as fast as possible: they are cut off, and do not fill the memory. */
import { afterEach, expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config.ts'
import { images, post } from '../support/requests.ts'
import { connect } from '../support/socket-client.ts'
import { type StartedServer, startedServer } from '../support/started-server.ts'

let server: StartedServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

const MiB = 2 ** 20
/** Bytes allowed for garbage that has not been collected yet. */
const garbage = 32 * MiB

/** Repeats a piece of a chunked body until the server answers, and returns what that cost the server. */
async function pour(piece: string, most: number, limits: ConfigInput['limits']) {
  server = await startedServer({ log: false, limits })
  const { url, memory, processorTime } = server
  const classify = new URL('v1/models/tiny/classify', url)
  expect((await fetch(classify, post(images.jpeg))).status).toBe(200) // what it loads is not counted
  const before = memory()
  const client = await connect(url)
  const head = ['POST /v1/models/tiny/classify HTTP/1.1', `Host: ${url.host}`, 'Content-Type: image/jpeg']
  client.send([...head, 'Transfer-Encoding: chunked', '', ''].join('\r\n'))
  let [grown, bytes] = [0, 0]
  for (; client.received === '' && !client.isClosed && bytes < most; bytes += piece.length) {
    client.send(piece)
    await client.sent()
    grown = Math.max(grown, memory() - before)
  }
  client.leave()
  await Bun.sleep(1000)
  const worked = processorTime()
  await Bun.sleep(300)
  expect(processorTime() - worked).toBeLessThan(150)
  expect((await fetch(classify, post(images.jpeg))).status).toBe(200)
  return { answer: client.received.split('\r\n')[0], grown, bytes }
}

test('a body of a million one-byte chunks takes no more memory than its bytes', async () => {
  const imageBytes = 1_000_000
  const chunk = '1\r\nx\r\n'
  const { answer, grown, bytes } = await pour(chunk.repeat(1000), 10 * imageBytes * chunk.length, { imageBytes })
  expect(answer).toBe('HTTP/1.1 413 Payload Too Large')
  expect(bytes).toBeGreaterThan(imageBytes * chunk.length)
  expect(grown).toBeLessThan(2 * imageBytes + garbage)
}, 60_000)

test('a body of two gigabytes is cut off at the limit', async () => {
  const imageBytes = 10 * MiB
  const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  const { answer, grown, bytes } = await pour(piece, 2 ** 31, { imageBytes })
  expect(answer).toBe('HTTP/1.1 413 Payload Too Large')
  // And what is on its way meanwhile.
  expect(bytes).toBeLessThan(4 * imageBytes)
  expect(grown).toBeLessThan(2 * imageBytes + garbage)
}, 60_000)
