/** Files that changed after they were written: every flipped bit and every cut is seen, and files without a checksum are read. */
import { afterAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFolder } from '../folder.ts'
import { writeModelFolder } from '../model-folder.ts'
import { toFloat32, type WeightDtype, weightDtypes } from '../safetensors/dtypes.ts'
import { parseSafetensors, type SafeTensor, serializeSafetensors } from '../safetensors/safetensors.ts'
import { readSafetensors, writeSafetensors } from '../safetensors/safetensors-file.ts'
import { SafetensorsError } from '../safetensors/safetensors-header.ts'
import { openWeightFiles, type Weights } from '../weight-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-checksum-'))
const path = join(folder, 'file.safetensors')
afterAll(() => rmSync(folder, { recursive: true }))

const tensors = new Map<string, SafeTensor>([
  ['weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['bias', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }],
])
const damaged = (file: string): string => `${file} is damaged: its content does not match its checksum.`

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] as number) ^ (1 << (at % 8)))

test('a file has the SHA-256 of itself with its digits as zeros, in one place, and readers do not see it', async () => {
  await writeSafetensors(path, tensors, { format: 'pt' })
  const bytes = readFileSync(path)
  const digits = bytes.subarray(42, 106).toString()
  const blank = Buffer.concat([bytes.subarray(0, 42), Buffer.from('0'.repeat(64)), bytes.subarray(106)])
  expect(digits).toBe(createHash('sha256').update(blank).digest('hex'))
  expect(parseSafetensors(bytes).metadata).toEqual({ vitral_sha256: digits, format: 'pt' })
  expect(await readSafetensors(path)).toEqual({ tensors, metadata: { format: 'pt' }, checked: true })
  expect(await readSafetensors(bytes)).toEqual({ tensors, metadata: { format: 'pt' }, checked: false })
})

test.skipIf(!Bun.which('sha256sum'))('the commands of the documentation show it and compute it', async () => {
  await writeSafetensors(path, tensors, { format: 'pt' })
  const run = (command: string) => Bun.spawnSync(['sh', '-c', command]).stdout.toString().slice(0, 64)
  expect(run(`head -c 106 ${path} | tail -c 64`)).toMatch(/^[\da-f]{64}$/)
  expect(run(`{ head -c 42 ${path}; printf %064d 0; tail -c +107 ${path}; } | sha256sum`)).toBe(
    run(`head -c 106 ${path} | tail -c 64`),
  )
})

test.each([
  ['as a model has them', tensors, { format: 'pt' }],
  ['that sort before others', new Map([['0', tensors.get('weight') as SafeTensor]]), { '1': 'one' }],
  ['none', new Map(), {}],
])(
  'every flipped bit is seen, wherever it is, and every length it may be cut to: names %s',
  async (_, all, metadata) => {
    await writeSafetensors(path, all, metadata)
    expect(await readSafetensors(path)).toEqual({ tensors: all, metadata, checked: true })
    const bytes = Uint8Array.from(readFileSync(path))
    for (let at = 0; at < bytes.length; at++) {
      writeFileSync(path, flipped(bytes, at))
      await expect(readSafetensors(path)).rejects.toThrow(damaged(path))
    }
    writeFileSync(path, bytes)
    for (let size = bytes.length - 1; size >= 0; size--) {
      truncateSync(path, size)
      await expect(readSafetensors(path)).rejects.toBeInstanceOf(SafetensorsError)
    }
  },
)

test('a file of another program is read unchecked, its metadata whole', async () => {
  const others: Record<string, string>[] = [{}, { sha256: 'of something else' }, { other_sha256: 'a'.repeat(64) }]
  for (const metadata of others) {
    writeFileSync(path, Buffer.concat(serializeSafetensors(tensors, metadata)))
    expect(await readSafetensors(path)).toEqual({ tensors, metadata, checked: false })
  }
})

test('a program that copies the checksum into another file is told so', async () => {
  const metadata = `{"format":"pt","vitral_sha256":"${'0'.repeat(64)}"}`
  const text = new TextEncoder().encode(`{"__metadata__":${metadata}}`)
  writeFileSync(path, Buffer.concat([Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0), text]))
  await expect(readSafetensors(path)).rejects.toThrow(
    `${path} has its 'vitral_sha256' elsewhere than Vitral writes it: another program copied`,
  )
  expect((await readSafetensors(readFileSync(path))).metadata).toEqual({ format: 'pt' })
})

test('metadata cannot bring a checksum of their own', async () => {
  const metadata = { vitral_sha256: '0' }
  const message = "The metadata cannot have 'vitral_sha256': it is the file's own checksum."
  expect(() => serializeSafetensors(tensors, metadata)).toThrow(message)
  await expect(writeSafetensors(join(folder, 'own'), tensors, metadata)).rejects.toThrow(message)
  expect(readdirSync(folder)).not.toContain('own')
})

const weights = new Map<string, Weights>(
  ['a', 'b', 'c'].map(name => [name, { shape: [4], data: Float32Array.of(0.5, -1, 2, 1) }]),
)
async function readAll(model: string): Promise<Map<string, Weights>> {
  const read = new Map<string, Weights>()
  const files = await openWeightFiles(diskFolder(model))
  await files?.read((name, tensor) => read.set(name, { shape: tensor.shape, data: toFloat32(tensor).slice() }))
  return read
}

const cases = weightDtypes.flatMap(dtype =>
  [5e9, 20].map((maxShardBytes): [WeightDtype, number] => [dtype, maxShardBytes]),
)

test.each(cases)(
  'a model folder of %s, at most %d bytes in a file, is refused by a flipped byte of any file',
  async (dtype, maxShardBytes) => {
    const model = mkdtempSync(join(folder, 'model-'))
    await writeModelFolder(model, { model_type: 'vit' }, weights, { dtype, maxShardBytes })
    expect(await readAll(model)).toEqual(weights)
    const files = readdirSync(model).filter(name => name.endsWith('.safetensors'))
    expect(files.length).toBe(maxShardBytes > 20 ? 1 : dtype === 'float32' ? 3 : 2)
    for (const file of files) {
      const bytes = Uint8Array.from(readFileSync(join(model, file)))
      writeFileSync(join(model, file), flipped(bytes, bytes.length - 3))
      await expect(readAll(model)).rejects.toThrow(damaged(join(model, file)))
      writeFileSync(join(model, file), bytes)
    }
  },
)

test('every model that is shipped has its checksum, so that a flipped bit is not served', async () => {
  const examples = join(import.meta.dir, '../../../../../examples')
  // A glob does not follow the links in node_modules, which lead in circles.
  const files = [...new Bun.Glob('**/*.safetensors').scanSync({ cwd: examples })]
  expect(files).toContain('pretrained/model.safetensors')
  for (const file of files) expect(await readSafetensors(join(examples, file))).toMatchObject({ checked: true })
})
