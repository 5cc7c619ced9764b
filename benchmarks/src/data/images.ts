/** The images to load: this repository's sample of CIFAR-10, and photos made for the purpose. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '@vitral/core/files'
import { normalStream } from '@vitral/core/tape'
import { type Example, openCifar10 } from '@vitral/datasets'
import sharp from 'sharp'
import type { DataOptions, ImageSet } from './protocol.ts'

const sample = fileURLToPath(new URL('../../../examples/cifar10-sample', import.meta.url))
const [width, height] = [500, 375]
const photoClasses = 4
const photos = 256

/** Says where the images are, and how many; photos are written into the folder given. */
export async function prepareImages(images: ImageSet, folder: string): Promise<Pick<DataOptions, 'folder' | 'count'>> {
  if (images === 'cifar10') return { folder: sample, count: 512 }
  for (let i = 0; i < photos; i++) {
    const group = join(folder, `class-${i % photoClasses}`)
    await mkdir(group, { recursive: true })
    await writePhoto(join(group, `${String(i).padStart(3, '0')}.jpg`), i)
  }
  return { folder, count: photos }
}

/** A JPEG file of 500×375. */
export async function writePhoto(path: string, seed: number): Promise<void> {
  const small = await openCifar10(sample, { split: 'train' })
  await writeFileAtomic(path, [await photo(small.get(seed) as Example, seed)])
}

/** The shapes of a small image with a camera's grain: about as many bytes as photos of this size have. */
async function photo({ image }: Example, seed: number): Promise<Uint8Array> {
  const large = await sharp(image.data, { raw: { width: 32, height: 32, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  const noise = normalStream(seed)
  const grainy = Uint8ClampedArray.from(large, value => value + 6 * noise())
  return sharp(grainy, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}
