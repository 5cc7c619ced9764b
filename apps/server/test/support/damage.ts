/** Ways of damaging a model folder. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, writeSafetensors } from '@vitral/core/files'

type Tensors = Awaited<ReturnType<typeof readSafetensors>>['tensors']

export function cutInHalf(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length / 2))
}

/** Flips one bit of the last weight. */
export function flipBit(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.with(-1, (bytes.at(-1) as number) ^ 1))
}

/** The folder's checksum is then that of the edited weights. */
export async function spoil(folder: string, edit: (tensors: Tensors) => void): Promise<void> {
  const path = join(folder, 'model.safetensors')
  const { tensors } = await readSafetensors(path)
  edit(tensors)
  await writeSafetensors(path, tensors)
}

export const makeNonFinite = (folder: string): Promise<void> =>
  spoil(folder, tensors => {
    const { data } = tensors.get('classifier.bias') as { data: Float32Array }
    data.fill(Number.NaN)
  })

export function resizeProcessor(folder: string, size: number): void {
  const path = join(folder, 'preprocessor_config.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), size }))
}
