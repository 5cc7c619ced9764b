/** A few made-up images in CIFAR-10's layout: each class is one brightness, so that a tiny model can learn them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const counts = { 'data_batch_1.bin': 40, 'test_batch.bin': 20 }

/** Writes 40 images to train on and 20 to test on into `folder/cifar-10-batches-bin`. */
export function writeTinyCifar(folder: string): void {
  const data = join(folder, 'cifar-10-batches-bin')
  mkdirSync(data)
  for (const [file, count] of Object.entries(counts)) {
    const bytes = new Uint8Array(count * 3073)
    for (let i = 0; i < count; i++) bytes.fill((i % 10) * 25, i * 3073 + 1, (i + 1) * 3073).set([i % 10], i * 3073)
    writeFileSync(join(data, file), bytes)
  }
  writeFileSync(join(data, 'records.json'), JSON.stringify(counts))
  writeFileSync(join(data, 'batches.meta.txt'), 'plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n')
}
