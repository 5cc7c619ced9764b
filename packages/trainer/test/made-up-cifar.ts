/** A few images of CIFAR-10's layout: each class is one brightness, so that a tiny model can learn them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @param folder to be made */
export function writeMadeUpCifar(folder: string): void {
  mkdirSync(folder)
  const counts = { 'data_batch_1.bin': 40, 'test_batch.bin': 20 }
  for (const [file, count] of Object.entries(counts)) {
    const bytes = new Uint8Array(count * 3073)
    for (let i = 0; i < count; i++) bytes.fill((i % 10) * 25, i * 3073 + 1, (i + 1) * 3073).set([i % 10], i * 3073)
    writeFileSync(join(folder, file), bytes)
  }
  writeFileSync(join(folder, 'records.json'), JSON.stringify(counts))
  writeFileSync(join(folder, 'batches.meta.txt'), 'plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n')
}
