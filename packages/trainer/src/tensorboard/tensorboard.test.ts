/** Event files read back by a reader of their own, and checksums against published values. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExampleImages } from '../evaluation/example-images.ts'
import { recipes } from '../recipes/index.ts'
import type { EpochReport, StepReport } from '../run/events.ts'
import { crc32c } from './crc32c.ts'
import { varint } from './protobuf.ts'
import { frameRecord } from './record.ts'
import { tensorboardLog } from './tensorboard-log.ts'

const recipe = recipes['cifar10-micro'] as (typeof recipes)[string]

describe('crc32c', () => {
  test.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ])('of %s is as in RFC 3720', (_, bytes, expected) => expect(crc32c(bytes)).toBe(expected))
})

test('a record is framed as TensorFlow frames it', () => {
  // Written by TensorBoard's own RecordWriter.
  const expected = '0500000000000000eab2043e68656c6c6fbb1f1c19'
  expect(Buffer.from(frameRecord(new TextEncoder().encode('hello'))).toString('hex')).toBe(expected)
})

test('varint', () => {
  expect([...varint(1, 0)]).toEqual([8, 0])
  expect([...varint(2, 300)]).toEqual([16, 0xac, 0x02])
  expect([...varint(2, 2 ** 40)]).toEqual([16, 128, 128, 128, 128, 128, 32])
})

describe('tensorboardLog', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-tensorboard-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const now = () => 1_700_000_000_500
  const step: StepReport = {
    ...{ epoch: 1, step: 7, images: 8, lr: 0.25, loss: 1.5, meanLoss: 2, imagesPerSecond: 300 },
    gradNorm: 0.75,
  }
  const examples = new ExampleImages()
  const evaluation = { accuracy: 0.5, top5: 0.75, loss: 1.25 } as EpochReport['evaluation']

  test('writes what TensorBoard reads, and a new file with a restart when a run goes on', async () => {
    const first = await tensorboardLog(folder, { recipe, step: 0, now })
    await first.onStep?.(step)
    await first.onEpoch?.({ epoch: 1, step: 7, trainLoss: 2, evaluation, examples, isBest: true, seconds: 1 })
    const second = await tensorboardLog(folder, { recipe, step: 3, now })
    await second.onStep?.({ ...step, step: 4, gradNorm: undefined })
    await second.onTest?.({ epoch: 1, evaluation, examples })

    const files = readdirSync(folder).sort()
    expect(files.map(name => name.match(/^events\.out\.tfevents\.(\d{10})\./)?.[1])).toEqual([
      '1700000000',
      '1700000001',
    ])
    const [before, after] = files.map(name => readEvents(join(folder, name)))
    expect(before?.map(({ step, ...event }) => [step, ...Object.keys(event)].join(' '))).toEqual([
      '0 wallTime fileVersion',
      '1 wallTime sessionLog',
      '0 wallTime summary',
      '7 wallTime summary',
      '7 wallTime summary',
    ])
    expect(before?.[0]).toEqual({ wallTime: 1_700_000_000.5, step: 0, fileVersion: 'brain.Event:2' })
    expect(before?.[2]?.summary?.['recipe/text_summary']).toContain('"name": "vit-micro-patch4-32"')
    expect(before?.[3]?.summary).toEqual({
      ...{ 'train/loss': 1.5, 'train/lr': 0.25, 'train/images_per_second': 300, 'train/grad_norm': 0.75 },
    })
    expect(before?.[4]?.summary).toEqual({
      ...{ 'eval/accuracy': 0.5, 'eval/top5': 0.75, 'eval/loss': 1.25, 'train/epoch_loss': 2 },
    })
    expect(after?.slice(1)).toEqual([
      { wallTime: 1_700_000_000.5, step: 4, sessionLog: 1 },
      {
        ...{ wallTime: 1_700_000_000.5, step: 4 },
        summary: { 'train/loss': 1.5, 'train/lr': 0.25, 'train/images_per_second': 300 },
      },
      {
        ...{ wallTime: 1_700_000_000.5, step: 4 },
        summary: { 'test/accuracy': 0.5, 'test/top5': 0.75, 'test/loss': 1.25 },
      },
    ])
  })
})

interface ReadEvent {
  wallTime: number
  step: number
  fileVersion?: string
  sessionLog?: number
  summary?: Record<string, number | string>
}

function readEvents(path: string): ReadEvent[] {
  const file = readFileSync(path)
  const events: ReadEvent[] = []
  for (let offset = 0; offset < file.length; ) {
    const end = offset + 16 + Number(file.readBigUInt64LE(offset))
    const bytes = file.subarray(offset + 12, end - 4)
    expect(file.subarray(offset, end)).toEqual(Buffer.from(frameRecord(bytes)))
    const event: ReadEvent = { wallTime: 0, step: 0 }
    for (const [field, value] of fieldsOf(bytes)) {
      if (field === 1) event.wallTime = value.readDoubleLE()
      if (field === 2) event.step = value[0] as number
      if (field === 3) event.fileVersion = value.toString()
      if (field === 7) event.sessionLog = fieldsOf(value)[0]?.[1][0]
      if (field === 5) event.summary = Object.fromEntries(fieldsOf(value).map(([, entry]) => readValue(entry)))
    }
    events.push(event)
    offset = end
  }
  return events
}

function readValue(entry: Buffer): [tag: string, value: number | string] {
  const fields = new Map(fieldsOf(entry))
  const tag = String(fields.get(1))
  const tensor = fields.get(8)
  return [tag, tensor ? String(new Map(fieldsOf(tensor)).get(8)) : (fields.get(2) as Buffer).readFloatLE()]
}

/** Numbers of fields with their bytes; a varint as its lowest byte, since those of the test are small. */
function fieldsOf(bytes: Buffer): [field: number, value: Buffer][] {
  const fields: [number, Buffer][] = []
  const sizes: Record<number, number> = { 0: 1, 1: 8, 5: 4 }
  for (let offset = 0; offset < bytes.length; ) {
    const key = bytes[offset] as number
    offset++
    let size = sizes[key % 8] ?? 0
    if (key % 8 === 2)
      for (let shift = 0, more = true; more; shift += 7, offset++) {
        size += ((bytes[offset] as number) & 127) << shift
        more = (bytes[offset] as number) > 127
      }
    fields.push([key >> 3, bytes.subarray(offset, offset + size)])
    offset += size
  }
  return fields
}
