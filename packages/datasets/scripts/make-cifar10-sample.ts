/**
 * Makes the repository's sample of CIFAR-10 and the single images beside it: `bun scripts/make-cifar10-sample.ts
 * CIFAR10_FOLDER EXAMPLES_FOLDER`. The choice is fixed: the first images of each class, in the data set's order.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { openCifar10 } from '../src/index.ts'
import type { Dataset, Example } from '../src/types.ts'

const perClass = { train: 150, test: 30 }
const files = { train: 'data_batch_1.bin', test: 'test_batch.bin' }

/** Images for `predict`: the how-manieth of its class in the test split, beyond those in the sample, and its side. */
const singles = [
  { file: 'cat.png', label: 'cat', nth: 36, side: 32 },
  { file: 'ship.png', label: 'ship', nth: 37, side: 32 },
  { file: 'horse-256.png', label: 'horse', nth: 38, side: 256 },
]

const [cifar, examples] = process.argv.slice(2)
if (!cifar || !examples) throw new Error('Usage: bun scripts/make-cifar10-sample.ts CIFAR10_FOLDER EXAMPLES_FOLDER')

const sample = join(examples, 'cifar10-sample')
const images = join(examples, 'images')
for (const folder of [sample, images]) await mkdir(folder, { recursive: true })

const records: Record<string, number> = {}
for (const split of ['train', 'test'] as const) {
  const dataset = await openCifar10(cifar, { split })
  const chosen = await firstOfEachClass(dataset, perClass[split])
  await writeFile(join(sample, files[split]), Buffer.concat(chosen.map(toRecord)))
  await writeFile(join(sample, 'batches.meta.txt'), `${dataset.classes.join('\n')}\n\n`)
  records[files[split]] = chosen.length
  if (split === 'test') for (const single of singles) await writeSingle(dataset, single)
}
await writeFile(join(sample, 'records.json'), `${JSON.stringify(records, null, 2)}\n`)

async function firstOfEachClass(dataset: Dataset, count: number): Promise<Example[]> {
  const taken = dataset.classes.map(() => 0)
  const chosen: Example[] = []
  for (let i = 0; i < dataset.length; i++) {
    const example = await dataset.get(i)
    if ((taken[example.label] as number) >= count) continue
    taken[example.label] = (taken[example.label] as number) + 1
    chosen.push(example)
  }
  return chosen
}

/** The label, then the planes of red, green and blue. */
function toRecord({ image: { data }, label }: Example): Uint8Array {
  const plane = data.length / 3
  const record = new Uint8Array(1 + data.length)
  record[0] = label
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) record[1 + c * plane + i] = data[3 * i + c] as number
  return record
}

async function writeSingle(dataset: Dataset, { file, label, nth, side }: (typeof singles)[number]): Promise<void> {
  if (nth <= perClass.test) throw new Error(`${file} would be image ${nth} of its class, which is in the sample.`)
  const ofClass = (await firstOfEachClass(dataset, nth)).filter(example => dataset.classes[example.label] === label)
  const { data, width, height } = (ofClass.at(-1) as Example).image
  const enlarged = sharp(Buffer.from(data), { raw: { width, height, channels: 3 } }).resize(side, side, {
    kernel: 'cubic',
  })
  await enlarged.png({ compressionLevel: 9 }).toFile(join(images, file))
}
