import { describe, expect, test } from 'bun:test'
import { createFakeEngine, model } from '../../test/support/fake-engine.ts'
import { failure, fileTensor, headerLength, images, post, start, withBinary } from '../../test/support/requests.ts'
import { createApp } from '../app.ts'

const path = '/v2/models/tiny/infer'
const pixels = Array.from({ length: 12 }, (_, i) => i + 1)
const tensor = { name: 'pixel_values', shape: [1, 3, 2, 2], datatype: 'FP32' }
const get = async (address: string): Promise<unknown> => (await start().app.request(address)).json()

const floats = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const named = (values: Uint8Array): object => ({ ...tensor, parameters: { binary_data_size: values.length } })

describe('the protocol describes', () => {
  test('the server', async () => {
    expect(await get('/v2')).toEqual({
      name: 'vitral',
      version: expect.any(String),
      extensions: ['binary_tensor_data', 'classification', 'schedule_policy'],
    })
    expect(await get('/v2/health/live')).toEqual({ live: true })
    expect(await get('/v2/health/ready')).toEqual({ ready: true })
  })

  test('a model, with and without its version', async () => {
    for (const address of ['/v2/models/tiny', '/v2/models/tiny/versions/v1']) {
      expect(await get(address)).toEqual({
        name: 'tiny',
        versions: ['v1'],
        platform: 'vitral_safetensors',
        inputs: [
          { name: 'pixel_values', datatype: 'FP32', shape: [-1, 3, 2, 2] },
          { name: 'image', datatype: 'BYTES', shape: [-1] },
        ],
        outputs: [
          { name: 'logits', datatype: 'FP32', shape: [-1, 3] },
          { name: 'features', datatype: 'FP32', shape: [-1, 4] },
        ],
      })
      expect(await get(`${address}/ready`)).toEqual({ name: 'tiny', ready: true })
    }
    expect(await failure(await start().app.request('/v2/models/tiny/versions/v2'))).toEqual([404, 'model_not_found'])
  })

  test('what is not ready', async () => {
    const engine = createFakeEngine([{ ...model, state: 'loading' }])
    engine.isReady = false
    const app = createApp({ engine, config: { log: false } })
    expect(await failure(await app.request('/v2/health/ready'))).toEqual([503, 'not_ready'])
    const response = await app.request('/v2/models/tiny/ready')
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await failure(response)).toEqual([503, 'model_not_ready'])
    expect((await app.request('/v2/health/live')).status).toBe(200)
  })
})

describe('POST infer', () => {
  test('accepts numbers in JSON, nested or flat, and echoes the id', async () => {
    const nested = [
      [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
        [
          [9, 10],
          [11, 12],
        ],
      ],
    ]
    for (const data of [pixels, nested]) {
      const { app, engine } = start()
      const response = await app.request(path, post({ id: 'a', inputs: [{ ...tensor, data }] }))
      expect(await response.json()).toEqual({
        model_name: 'tiny',
        model_version: 'v1',
        id: 'a',
        outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 3], data: [1, 2, 0] }],
      })
      expect(engine.requests[0]?.inputs).toEqual([{ pixelValues: Float32Array.from(pixels) }])
    }
  })

  test('accepts binary pixel values, and returns binary outputs after the JSON', async () => {
    const { app, engine } = start()
    const binary = floats([...pixels, ...pixels.map(value => value * 2)])
    const input = { ...named(binary), shape: [2, 3, 2, 2] }
    const outputs = [{ name: 'logits', parameters: { binary_data: false } }, { name: 'features' }]
    const parameters = { binary_data_output: true, timeout: 500_000 }
    const request = withBinary({ inputs: [input], outputs, parameters }, binary)
    const response = await app.request('/v2/models/tiny/versions/v1/infer', request)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const length = Number(response.headers.get(headerLength))
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)))).toEqual({
      model_name: 'tiny',
      model_version: 'v1',
      outputs: [
        { name: 'logits', datatype: 'FP32', shape: [2, 3], data: [1, 2, 0, 2, 4, 0] },
        { name: 'features', datatype: 'FP32', shape: [2, 4], parameters: { binary_data_size: 32 } },
      ],
    })
    expect([...new Float32Array(bytes.slice(length).buffer)]).toEqual([0, 1, 2, 1, 0, 1, 2, 2])
    // Both by one pass of the model.
    expect(engine.requests.map(({ task, timeout }) => [task, timeout])).toEqual([['classify-and-embed', 500]])
  })

  test('returns the best classes', async () => {
    const { app } = start()
    const outputs = [{ name: 'logits', parameters: { classification: 2 } }]
    const json = await app.request(path, post({ inputs: [{ ...tensor, data: pixels }], outputs }))
    expect(((await json.json()) as { outputs: object[] }).outputs).toEqual([
      { name: 'logits', datatype: 'BYTES', shape: [1, 2], data: ['2:1:dog', '1:0:cat'] },
    ])
    const parameters = { binary_data_output: true }
    const binary = await app.request(path, post({ inputs: [{ ...tensor, data: pixels }], outputs, parameters }))
    const bytes = new Uint8Array(await binary.arrayBuffer()).slice(Number(binary.headers.get(headerLength)))
    expect(bytes).toEqual(new Uint8Array(fileTensor(Buffer.from('2:1:dog'), Buffer.from('1:0:cat'))))
  })

  test('accepts image files', async () => {
    const { app, engine } = start()
    const binary = fileTensor(images.jpeg, images.png)
    const parameters = { binary_data_size: binary.length }
    const inputs = [{ name: 'image', datatype: 'BYTES', shape: [2], parameters }]
    const response = await app.request(path, withBinary({ inputs }, binary))
    expect(((await response.json()) as { outputs: { shape: number[] }[] }).outputs[0]?.shape).toEqual([2, 3])
    expect(engine.requests[0]?.inputs.map(input => 'image' in input && input.image.length)).toEqual([
      images.jpeg.length,
      images.png.length,
    ])
  })

  test('accepts image files in JSON as base64, flat or nested', async () => {
    const { app, engine } = start()
    const [jpeg, png] = [images.jpeg, images.png].map(bytes => bytes.toBase64())
    const send = (data: unknown[], shape: number[]) =>
      app.request(path, post({ inputs: [{ name: 'image', datatype: 'BYTES', shape, data }] }))
    for (const [data, shape] of [
      [[jpeg, png], [2]],
      [
        [[jpeg], [png]],
        [2, 1],
      ],
    ] as const) {
      expect((await send([...data], [...shape])).status).toBe(200)
      expect(engine.requests.pop()?.inputs).toEqual([{ image: images.jpeg }, { image: images.png }])
    }
    for (const [data, shape, code] of [
      [['no base64!'], [1], 'invalid_request'],
      [[jpeg], [2], 'invalid_request'],
      [[1], [1], 'invalid_request'],
      [[images.gif.toBase64()], [1], 'unsupported_format'],
    ] as const)
      expect((await failure(await send([...data], [...shape])))[1]).toBe(code)
    expect(engine.requests).toEqual([])
  })

  test('reads a raw body that is an image file as one, even if it is as long as the pixel values', async () => {
    const engine = createFakeEngine([{ ...model, imageSize: [16, 16] }])
    const app = createApp({ engine, config: { log: false } })
    const size = 3 * 16 * 16 * 4
    const headers = { [headerLength]: '0', 'content-type': 'application/octet-stream' }
    const padded = (file: Uint8Array) => Buffer.concat([file, Buffer.alloc(size - file.length)])
    for (const file of [images.jpeg, images.png, images.webp]) {
      const body = new Uint8Array(padded(file))
      expect((await app.request(path, post(body, headers))).status).toBe(200)
      expect(engine.requests.pop()?.inputs).toEqual([{ image: body }])
    }
    for (const file of [images.gif, images.jpeg.subarray(0, 40)]) {
      const response = await app.request(path, post(new Uint8Array(padded(file)), headers))
      expect([415, 422]).toContain(response.status)
    }
    // -7.99 in floats begins as a JPEG file does.
    const values = new Float32Array(size / 4).fill(
      new Float32Array(Uint8Array.of(255, 216, 255, 192).buffer)[0] as number,
    )
    expect((await app.request(path, post(new Uint8Array(values.buffer), headers))).status).toBe(200)
    expect(engine.requests.pop()?.inputs).toEqual([{ pixelValues: values }])
  })

  test('accepts a raw image or raw pixel values', async () => {
    const { app, engine } = start()
    for (const raw of [floats(pixels), images.jpeg]) {
      const headers = { [headerLength]: '0', 'content-type': 'application/octet-stream' }
      const response = await app.request(path, post(raw.slice(), headers))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/octet-stream')
      expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get(headerLength)) + 12)
    }
    expect(engine.requests.map(({ inputs }) => Object.keys(inputs[0] as object))).toEqual([['pixelValues'], ['image']])
  })

  test('rejects tensors whose shape or size is wrong', async () => {
    const { app, engine } = start()
    const input = (changes: object): RequestInit => post({ inputs: [{ ...tensor, data: pixels, ...changes }] })
    const shapes = [
      [1, 3, 2],
      [1, 3, 2, 3],
      [2, 3, 2, 2],
      [-1, 3, 2, 2],
      [0, 3, 2, 2],
      [1e9, 1e9],
      [2 ** 53 + 1, 3, 2, 2],
      [1.5, 3, 2, 2],
      [],
    ]
    const binary = floats(pixels)
    const bad: RequestInit[] = [
      ...shapes.map(shape => input({ shape })),
      ...['FP16', 'INT8', 'BYTES', 'fp32'].map(datatype => input({ datatype })),
      input({ data: pixels.slice(1) }),
      input({ data: [...pixels, 1] }),
      input({ data: pixels.map(String) }),
      input({ data: [null] }),
      input({ data: 'x' }),
      input({ data: undefined }),
      input({ name: 'other' }),
      input({ parameters: { binary_data_size: 48 } }),
      input({ more: 1 }),
      post({ inputs: [] }),
      post({ inputs: [{ ...tensor, data: pixels }], outputs: [{ name: 'logits' }, { name: 'logits' }] }),
      post({ inputs: [{ ...tensor, data: pixels }], outputs: [{ name: 'other' }] }),
      post('{"id":"\\ud800","inputs":[]}'),
      withBinary({ inputs: [named(binary)] }, binary.subarray(4)),
      withBinary({ inputs: [named(binary)] }, Buffer.concat([binary, binary])),
      withBinary({ inputs: [named(binary.subarray(4))] }, binary.subarray(4)),
      ...['-1', '999999', '1e1', 'x', ' '].map(length => withBinary({ inputs: [named(binary)] }, binary, length)),
      withBinary(
        { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 3 } }] },
        new Uint8Array(3),
      ),
      withBinary(
        { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 8 } }] },
        new Uint8Array(8).fill(255),
      ),
    ]
    for (const request of bad) {
      const [status, code] = await failure(await app.request(path, request))
      expect([status, code]).toEqual([
        code === 'too_many_inputs' ? 422 : 400,
        expect.stringMatching(/^(invalid_request|wrong_shape|too_many_inputs)$/),
      ])
    }
    expect(engine.requests).toEqual([])
  })

  test('ignores unknown parameters, which clients of other servers send', async () => {
    const { app, engine } = start()
    const parameters = { content_type: 'np', headers: 'x', more: 1.5, is: true }
    const inputs = [{ ...tensor, data: pixels, parameters }]
    const outputs = [{ name: 'logits', parameters }]
    const response = await app.request(path, post({ parameters, inputs, outputs }))
    expect(response.status).toBe(200)
    expect(engine.requests).toHaveLength(1)
  })
})
