/**
 * Requests as Triton's own clients write them, byte by byte, to a server process with a real model: tensors in JSON or behind
 * it, outputs as they are asked for, parameters that only other servers know. Triton's Python client has sent the same.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { images } from '../../test/support/requests.ts'
import { type StartedServer, startedWithModel } from '../../test/support/started-server.ts'
import { logitsOf, pixelsOf, removeFolders, tinyModel } from '../../test/support/tiny-model.ts'

let server: StartedServer
let expected: number[][]
const pixels = [pixelsOf(1), pixelsOf(2)]
const all = Float32Array.from(pixels.flatMap(values => Array.from(values)))

beforeAll(async () => {
  const folder = await tinyModel()
  expected = await logitsOf(folder, pixels)
  server = await startedWithModel(folder)
}, 60_000)
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  removeFolders()
}, 60_000)

interface Tensor {
  name: string
  datatype: string
  shape: number[]
  parameters?: { binary_data_size?: number }
  data?: (number | string)[]
}

interface Answer {
  status: number
  head: { id?: string; error?: string; outputs: Tensor[] }
  /** Bytes of each output after the JSON. */
  binary: Record<string, DataView>
}

interface Sent {
  inputs: object[]
  outputs?: object[]
  id?: string
  parameters?: object
}

/** Tensors follow the JSON in the order of their inputs, with nothing between; the JSON's length is in a header. */
async function infer(request: Sent, binary: Uint8Array[] = [], pack?: 'gzip' | 'deflate'): Promise<Answer> {
  const json = Buffer.from(JSON.stringify(request))
  const whole = Buffer.concat([json, ...binary])
  const headers: Record<string, string> = {}
  if (binary.length > 0) headers['Inference-Header-Content-Length'] = String(json.length)
  if (pack) headers['Content-Encoding'] = pack
  const body = new Uint8Array(pack ? (pack === 'gzip' ? gzipSync : deflateSync)(whole) : whole)
  const response = await fetch(new URL('v2/models/tiny/infer', server.url), { method: 'POST', body, headers })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const length = Number(response.headers.get('Inference-Header-Content-Length') ?? bytes.length)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))) as Answer['head']
  let at = length
  const views: Answer['binary'] = {}
  for (const { name, parameters } of head.outputs ?? []) {
    const size = parameters?.binary_data_size
    if (size === undefined) continue
    views[name] = new DataView(bytes.buffer, at, size)
    at += size
  }
  expect(at).toBe(bytes.length)
  return { status: response.status, head, binary: views }
}

/** float32, little-endian, row by row. */
function fp32(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true)
  return new Uint8Array(view.buffer)
}

/** Each element's length, uint32 and little-endian, and then the element. */
const bytesTensor = (...elements: Uint8Array[]): Uint8Array =>
  Buffer.concat(
    elements.flatMap(element => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(element.length)
      return [length, element]
    }),
  )

const input = { name: 'pixel_values', shape: [2, 3, 16, 16], datatype: 'FP32' }
const raw = fp32(all)
const binaryInput = { ...input, parameters: { binary_data_size: raw.length } }

function expectLogits(values: readonly number[]): void {
  expect(values).toHaveLength(6)
  for (const [i, value] of expected.flat().entries()) expect(values[i]).toBeCloseTo(value, 4)
}
const floatsIn = (view: DataView | undefined): number[] =>
  Array.from({ length: (view?.byteLength ?? 0) / 4 }, (_, i) => view?.getFloat32(4 * i, true) ?? Number.NaN)

describe('the server answers Triton’s clients for', () => {
  test('a tensor after the JSON, and unnamed outputs, all binary', async () => {
    const { status, head, binary } = await infer({ inputs: [binaryInput], parameters: { binary_data_output: true } }, [
      raw,
    ])
    expect(status).toBe(200)
    expect(head.outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [2, 3], parameters: { binary_data_size: 24 } },
    ])
    expectLogits(floatsIn(binary.logits))
  })

  test('a tensor in the JSON and a binary output', async () => {
    const inputs = [{ ...input, data: Array.from(all) }]
    const outputs = [{ name: 'logits', parameters: { binary_data: true } }]
    expectLogits(floatsIn((await infer({ inputs, outputs })).binary.logits))
  })

  test('one output in the JSON and one after it', async () => {
    const outputs = [
      { name: 'logits', parameters: { binary_data: false } },
      { name: 'features', parameters: { binary_data: true } },
    ]
    const { head, binary } = await infer({ inputs: [binaryInput], outputs }, [raw])
    expectLogits(head.outputs[0]?.data as number[])
    expect(head.outputs[1]).toMatchObject({ shape: [2, 16], parameters: { binary_data_size: 128 } })
    expect(floatsIn(binary.features).every(Number.isFinite)).toBe(true)
  })

  test('the best classes, as strings with their lengths', async () => {
    const outputs = [{ name: 'logits', parameters: { classification: 1, binary_data: true } }]
    const { head, binary } = await infer({ inputs: [binaryInput], outputs }, [raw])
    expect(head.outputs[0]).toMatchObject({ datatype: 'BYTES', shape: [2, 1] })
    let at = 0
    for (const logits of expected) {
      const view = binary.logits as DataView
      const length = view.getUint32(at, true)
      const text = Buffer.from(view.buffer, view.byteOffset + at + 4, length).toString()
      const best = logits.indexOf(Math.max(...logits))
      expect(text).toMatch(new RegExp(`^-?[0-9.]+:${best}:LABEL_${best}$`))
      at += 4 + length
    }
    expect(at).toBe(binary.logits?.byteLength as number)
  })

  test.each([[[2]], [[2, 1]]])('image files as elements of a tensor of shape %p', async shape => {
    const files = bytesTensor(images.jpeg, images.png)
    const inputs = [{ name: 'image', shape, datatype: 'BYTES', parameters: { binary_data_size: files.length } }]
    const { status, head } = await infer({ inputs }, [files])
    expect([status, head.outputs[0]?.shape]).toEqual([200, [2, 3]])
  })

  test('an id, which comes back; sequences, priorities and own parameters, which are ignored', async () => {
    const own = { sequence_id: 3, sequence_start: true, sequence_end: true, priority: 1, mine: 'x' }
    const parameters = { binary_data_output: true, timeout: 5_000_000, ...own }
    const { head, binary } = await infer({ id: '7', inputs: [binaryInput], parameters }, [raw])
    expect(head.id).toBe('7')
    expectLogits(floatsIn(binary.logits))
  })
})

describe('the server rejects, with a sentence,', () => {
  test.each(['gzip', 'deflate'] as const)('%s bodies', async pack => {
    const { status, head } = await infer({ inputs: [binaryInput] }, [raw], pack)
    expect([status, head.error]).toEqual([415, 'The body is compressed; expected an uncompressed one.'])
  })

  test('tensors in shared memory', async () => {
    const parameters = { shared_memory_region: 'region', shared_memory_byte_size: raw.length }
    const { status, head } = await infer({ inputs: [{ ...input, parameters }] })
    expect([status, head.error]).toEqual([400, 'Input pixel_values needs either data or binary_data_size.'])
  })

  test('a tensor after the JSON that is a byte short', async () => {
    const { status, head } = await infer({ inputs: [binaryInput] }, [raw.subarray(1)])
    expect(status).toBe(400)
    expect(head.error).toContain(`binary_data_size says ${raw.length}`)
  })
})
