/** Image files for tests. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { type ImageFile, type ImageFileDataset, imageFiles } from '../src/datasets/image-files.ts'
import type { BrokenImageOptions } from '../src/images/decode-or-skip.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface PhotosOptions extends BrokenImageOptions {
  /** Those that are cut off. */
  damaged?: readonly number[]
}

/** PNG files, each one pixel larger than the one before. */
export async function photos(
  count: number,
  { damaged = [], ...options }: PhotosOptions = {},
): Promise<ImageFileDataset> {
  const folder = temporaryFolder()
  const files: ImageFile[] = []
  for (let i = 0; i < count; i++) {
    const [width, height] = [30 + i, 20 + i]
    const data = Buffer.from(Uint8Array.from({ length: width * height * 3 }, (_, k) => Math.imul(k + i, 40503) >> 8))
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer()
    const path = join(folder, `${i}.png`)
    writeFileSync(path, damaged.includes(i) ? bytes.subarray(0, bytes.length / 2) : bytes)
    files.push({ path, label: i % 2 })
  }
  return imageFiles(files, ['even', 'odd'], options)
}
