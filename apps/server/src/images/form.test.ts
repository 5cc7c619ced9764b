/** Forms as clients write them, and forms that are made to cost much. */
import { describe, expect, test } from 'bun:test'
import { failure, images, post, start } from '../../test/support/requests.ts'
import { Form } from './form.ts'

const path = '/v1/models/tiny/classify'
const type = 'multipart/form-data; boundary=b'
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const filesOf = (text: string, contentType = type): string[] =>
  new Form(contentType, { imagesPerRequest: 4 }).files(bytes(text)).map(file => Buffer.from(file).toString('latin1'))

const file = (content: string, name = 'a.jpg'): string =>
  `--b\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\n\r\n${content}\r\n`
const field = '--b\r\ncontent-disposition: form-data; name=top_k\r\n\r\n5\r\n'

describe('Form', () => {
  test('Form.files returns the content of the parts that have a file name', () => {
    expect(filesOf(`${file('one')}${field}${file('')}${file('\r\n--a\r\n\r\n')}--b--\r\n`)).toEqual([
      'one',
      '',
      '\r\n--a\r\n\r\n',
    ])
    expect(filesOf(`--b\r\n\r\nno header\r\n--b--`)).toEqual([])
    expect(
      filesOf("--b\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''%E2%82%AC\r\n\r\nx\r\n--b--"),
    ).toEqual(['x'])
    expect(filesOf('--b--\r\n')).toEqual([])
  })

  test('Form ignores text before the first and after the last delimiter', () =>
    expect(filesOf(`before\r\n${file('one')}--b--\r\nbehind\r\n--b`)).toEqual(['one']))

  test('Form reads a quoted or plain boundary among other parameters', () => {
    const text = `${file('one')}--b--`
    for (const contentType of [
      'multipart/form-data;boundary=b',
      'multipart/form-data; boundary="b"; charset=utf-8',
      'Multipart/Form-Data; charset=utf-8; Boundary=b',
    ])
      expect(filesOf(text, contentType)).toEqual(['one'])
  })

  test('Form reads what Bun writes', async () => {
    const data = new FormData()
    data.append('a "name"', new Blob([images.jpeg]), 'ü "x".jpg')
    data.append('top_k', '5')
    data.append('image', new Blob([images.png]), 'b.png')
    const request = new Request('http://localhost', { method: 'POST', body: data })
    const form = new Form(request.headers.get('content-type') ?? '', { imagesPerRequest: 4 })
    expect(form.files(await request.bytes()).map(file => Uint8Array.from(file))).toEqual([images.jpeg, images.png])
  })

  test('Form rejects a form that is truncated anywhere or has no valid boundary', () => {
    const text = `${file('one')}${field}${file('two')}--b--`
    for (let length = 0; length < text.length; length++)
      expect(() => filesOf(text.slice(0, length))).toThrow('The form is malformed')
    for (const contentType of ['multipart/form-data', 'multipart/form-data; boundary=', `${type}${'b'.repeat(70)}`])
      expect(() => filesOf(text, contentType)).toThrow('The form is malformed')
    expect(() => filesOf(`--b\r\n${'x: y\r\n'.repeat(10_000)}\r\n\r\n--b--`)).toThrow('The form is malformed')
  })
})

/** A body in pieces; `sent` are the bytes that were asked for. */
function inPieces(text: Uint8Array, size: number) {
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= text.length) return controller.close()
      controller.enqueue(text.slice(sent, sent + size))
      sent += size
    },
  })
  return { body, sent: () => sent }
}

test('Form.watch counts parts as they arrive, however the network cuts them', async () => {
  const { app, engine } = start()
  const empty = bytes(`--b\r\n\r\n\r\n`.repeat(1_000_000))
  for (const size of [1, 7, 1000, 65_536]) {
    const { body, sent } = inPieces(empty, size)
    const response = await app.request(path, { ...post(images.jpeg, { 'content-type': type }), body })
    expect(await failure(response)).toEqual([422, 'too_many_inputs'])
    // 65 parts of ten bytes; a piece or two more is on its way.
    expect(sent()).toBeLessThan(65 * 10 + 4 * size)
  }
  expect(engine.requests).toEqual([])
})

test('a form with the largest number of parts is accepted', async () => {
  const { app, engine } = start({ limits: { imagesPerRequest: 2 } })
  const part = (head: string, content: Uint8Array) => [
    bytes(`--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    content,
    bytes('\r\n'),
  ]
  const image = part('name=image; filename=a', images.jpeg)
  const other = part('name=x', bytes('y'))
  const send = (...parts: Uint8Array[][]) =>
    app.request(path, post(new Uint8Array(Buffer.concat([...parts.flat(), bytes('--b--')])), { 'content-type': type }))
  expect((await send(image, other, image, other)).status).toBe(200)
  expect(engine.requests[0]?.inputs.map(input => 'image' in input && Uint8Array.from(input.image))).toEqual([
    images.jpeg,
    images.jpeg,
  ])
  expect(await failure(await send(image, other, image, other, other))).toEqual([422, 'too_many_inputs'])
  expect(await failure(await send(image, image, image))).toEqual([422, 'too_many_inputs'])
})

test('Form reads a form of one repeated letter in linear time', () => {
  const boundary = 'a'.repeat(70)
  const form = new Form(`multipart/form-data; boundary=${boundary}`, { imagesPerRequest: 4 })
  const text = Buffer.concat([
    Buffer.from(`--${boundary}\r\n\r\n`),
    Buffer.alloc(2 ** 24, `\r\n--${boundary.slice(1)}`),
    Buffer.from(`\r\n--${boundary}--`),
  ])
  const before = process.cpuUsage()
  form.watch(text)
  expect(form.files(text)).toEqual([])
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(1000) // milliseconds; it takes some ten
})
