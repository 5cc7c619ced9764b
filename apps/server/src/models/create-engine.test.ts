/**
 * The engine's answers with real worker processes: images of every kind, tasks, batches, and inputs that are rejected.
 * TURNS=160 in the environment makes ten thousand requests of 64 clients.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'
import sharp from 'sharp'
import { notImages } from '../../test/support/strange-files.ts'
import { logitsOf, PIXELS, pixelsOf, removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import type { EngineError, EngineInput, EngineResult, ManagedEngine, Task } from '../engine.ts'
import type { EngineEvent } from '../engine-events.ts'
import { createEngine } from './create-engine.ts'

/** Requests of each of many clients. */
const turns = Number(process.env.TURNS ?? 20)

let folder: string
let engine: ManagedEngine
const batches: number[] = []

beforeAll(async () => {
  folder = await tinyModel()
  engine = await createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu' }],
    maxPixels: 1e6,
    timeout: 60_000,
    queueTimeout: 60_000,
    onEvent: (event: EngineEvent) => event.event === 'batch' && batches.push(event.size),
  })
})
afterAll(async () => {
  await engine.close()
  removeFolders()
})

const run = (inputs: EngineInput[], task: Task = 'classify') => engine.run({ model: 'tiny', task, inputs })
const refusal = async (inputs: EngineInput[], model = 'tiny'): Promise<EngineError> => {
  const error: unknown = await engine.run({ model, task: 'classify', inputs }).catch(error => error)
  expect(error).toHaveProperty('name', 'EngineError')
  return error as EngineError
}
const photo = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#000', noise: { type: 'gaussian', mean: 128, sigma: 50 } },
  })

function expectClose(values: Float32Array | undefined, expected: readonly number[] = []): void {
  expect(expected).toHaveLength(3)
  expect(values).toHaveLength(3)
  for (const [i, value] of expected.entries()) expect(values?.[i]).toBeCloseTo(value, 4)
}

test('the engine describes its model', () => {
  const [{ version, ...description }] = engine.models() as [ReturnType<ManagedEngine['models']>[0]]
  expect(version).toMatch(/^[0-9a-f]{16}$/)
  expect(description).toEqual({
    name: 'tiny',
    state: 'ready',
    labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'],
    imageSize: [16, 16],
    numChannels: 3,
    featureSize: 16,
    backend: 'cpu',
    precision: 'float32',
    classifies: true,
    scoring: 'softmax',
  })
  expect(engine.ready()).toBe(true)
})

test.each(['jpeg', 'png', 'webp'] as const)('a %s image gets the logits of @vitral/core', async format => {
  const image = await photo(40, 30).toFormat(format).toBuffer()
  const processor = await ViTImageProcessor.fromPretrained(folder)
  const pixelValues = await processor.preprocess(await decodeImage(image))
  const { outputs, version } = await run([{ image }])
  const [expected] = await logitsOf(folder, [(await pixelValues.data()) as Float32Array])
  expectClose(outputs[0]?.logits, expected)
  expect(version).toBe(engine.models()[0]?.version as string)
  pixelValues.dispose()
})

test('each task returns its own outputs', async () => {
  const inputs = [{ pixelValues: pixelsOf(1) }, { pixelValues: pixelsOf(2) }]
  const [classified, embedded, explained] = await Promise.all([
    run(inputs),
    run(inputs, 'embed'),
    run(inputs, 'explain'),
  ])
  const logits = await logitsOf(
    folder,
    inputs.map(({ pixelValues }) => pixelValues),
  )
  for (const [i, expected] of logits.entries()) {
    expect(Object.keys(classified.outputs[i] ?? {})).toEqual(['logits'])
    expectClose(classified.outputs[i]?.logits, expected)
    expect(Object.keys(embedded.outputs[i] ?? {})).toEqual(['features'])
    expect(embedded.outputs[i]?.features?.length).toBe(16)
    expect(Object.keys(explained.outputs[i] ?? {})).toEqual(['logits', 'attention'])
    expectClose(explained.outputs[i]?.logits, expected)
    const { height, width, values } = explained.outputs[i]?.attention ?? { height: 0, width: 0, values: [] }
    expect([height, width, values.length, Math.max(...values)]).toEqual([2, 2, 4, 1])
  }
})

test('64 concurrent clients each get their own answers', async () => {
  const images = Array.from({ length: 64 }, (_, i) => pixelsOf(i))
  const expected = await logitsOf(folder, images)
  batches.length = 0
  const tasks: Task[] = ['classify', 'classify', 'explain']
  const client = async (i: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      const number = (i + turn) % 64
      const { outputs } = await run([{ pixelValues: images[number] as Float32Array }], tasks[turn % 3])
      expectClose(outputs[0]?.logits, expected[number])
    }
  }
  await Promise.all(Array.from({ length: 64 }, (_, i) => client(i)))
  expect(batches.reduce((sum, size) => sum + size)).toBe(64 * turns)
  expect(Math.max(...batches)).toBe(8)
  expect(engine.load()).toEqual([{ model: 'tiny', queued: 0, running: 0 }])
})

test('concurrent image files of all formats, some cancelled, each get the answer for their pixels', async () => {
  const formats = ['jpeg', 'png', 'webp'] as const
  const make = (i: number) =>
    photo(40 + i, 300 - i)
      .toFormat(formats[i % 3] as 'png')
      .toBuffer()
  const images = await Promise.all(Array.from({ length: 12 }, (_, i) => make(i)))
  const alone: EngineResult[] = []
  for (const image of images) alone.push(await run([{ image }]))
  const client = async (i: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      const number = (i + turn) % images.length
      const inputs = [{ image: images[number] as Uint8Array }]
      const controller = new AbortController()
      const leaving = engine.run({ model: 'tiny', task: 'classify', inputs, signal: controller.signal }).catch(() => {})
      const staying = run(inputs)
      if (turn % 2) setTimeout(() => controller.abort(), turn)
      expectClose((await staying).outputs[0]?.logits, [...(alone[number]?.outputs[0]?.logits ?? [])])
      await leaving
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, i) => client(i)))
  expect(engine.load()).toEqual([{ model: 'tiny', queued: 0, running: 0 }])
})

describe('the engine rejects', () => {
  const cut = async (format: 'jpeg' | 'png' | 'webp', share: number): Promise<Uint8Array> => {
    const whole = await photo(64, 64).toFormat(format).toBuffer()
    return whole.subarray(0, Math.floor(whole.length * share))
  }
  test.each(['jpeg', 'png', 'webp'] as const)('a %s file that is truncated anywhere', async format => {
    for (const share of [0.1, 0.3, 0.6, 0.9]) {
      const { code, message } = await refusal([{ image: await cut(format, share) }])
      expect([code, message]).toEqual(['image_corrupt', expect.stringContaining('cut off or damaged')])
    }
  })
  test('files that are not images, and unsupported formats', async () => {
    for (const image of await Promise.all(Object.values(notImages).map(make => make('/etc/passwd'))))
      expect((await refusal([{ image }])).code).toBe('unsupported_format')
    expect((await refusal([{ image: new Uint8Array(0) }])).code).toBe('image_corrupt')
  })
  test('noise of any kind', async () => {
    for (let i = 0; i < 50; i++)
      expect((await refusal([{ image: crypto.getRandomValues(new Uint8Array(4096)) }])).code).toMatch(
        /unsupported_format|image_corrupt/,
      )
  })
  test('images over the pixel limit, without advice for the owner', async () => {
    const { code, message } = await refusal([{ image: await photo(2000, 1000).png().toBuffer() }])
    expect(code).toBe('image_too_large')
    expect(message).toEndWith('it has 2000×1000 pixels, more than maxPixels, 1000000.')
  })
  test('pixel values of a wrong shape, and non-finite ones', async () => {
    const wrong = await refusal([{ pixelValues: new Float32Array(7) }])
    expect([wrong.code, wrong.message]).toEqual(['wrong_shape', 'The input has 7 values; expected 768, [3, 16, 16].'])
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { code, message } = await refusal([{ pixelValues: pixelsOf(0).fill(value, 5, 6) }])
      expect([code, message]).toEqual(['non_finite_input', `Value 5 of the input is ${value}; expected finite values.`])
    }
  })
  test('too many inputs in a request', async () => {
    const inputs = Array.from({ length: 33 }, () => ({ pixelValues: new Float32Array(PIXELS) }))
    expect((await refusal(inputs)).code).toBe('too_many_inputs')
  })
  test.each(['none', '', '../tiny', '__proto__', 'constructor', 'tiny\0', 'x'.repeat(65)])(
    'a model that is not there: %j',
    async name => {
      expect((await refusal([{ pixelValues: pixelsOf(0) }], name)).code).toBe('model_not_found')
    },
  )
  test('the whole request for one bad input, and goes on', async () => {
    expect((await refusal([{ pixelValues: pixelsOf(0) }, { image: Buffer.from('?') }])).code).toBe('unsupported_format')
    expect((await run([{ pixelValues: pixelsOf(0) }])).outputs).toHaveLength(1)
    expect(engine.load()).toEqual([{ model: 'tiny', queued: 0, running: 0 }])
  })
})
