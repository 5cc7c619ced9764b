/** What is wrong with an example, told when its batch is due, by its file's name, from this thread and from workers. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { errorOf, load } from '../../test/load.ts'
import { photos } from '../../test/photos.ts'
import { selectClasses } from '../datasets/select-classes.ts'
import { subset } from '../datasets/subset.ts'
import { BrokenImageError } from '../images/broken-image.ts'
import { openCifar10 } from '../sources/cifar.ts'
import * as transforms from '../transforms/index.ts'
import { createLoader } from './loader.ts'

const held = await openCifar10(join(import.meta.dir, '../../../../examples/cifar10-sample'), { split: 'test' })
const { cifar32 } = transforms

describe.each([0, 2])('errors, with %d workers', workers => {
  test('name the example and the file, when its batch is due', async () => {
    const dataset = await photos(6, { damaged: [4, 5] })
    const loader = createLoader(dataset, { transforms: cifar32({ train: false }).slice(-2), batchSize: 1, workers })
    const batches = loader.batches()
    for (let i = 0; i < 4; i++) expect((await batches.next()).value?.indices).toEqual(Int32Array.of(i))
    expect(await errorOf(batches.next())).toMatch(/^Error: Example 4: .*4\.png cannot be decoded/)
    await loader.close()
  })

  test('the first of several, whichever fails first', async () => {
    const dataset = await photos(6, { damaged: [2, 3, 5] })
    const options = { transforms: transforms.articleFineTune({ train: false }), batchSize: 6, workers }
    expect(await errorOf(load(dataset, options))).toMatch(/^Error: Example 2: /)
  })

  test('sizes that differ within a batch', async () => {
    const options = { transforms: [transforms.toTensor()], batchSize: 2, workers }
    const dataset = await photos(2)
    expect(await errorOf(load(dataset, options))).toContain(
      `Example 1 (${dataset.files[1]?.path}): its shape is [3, 21, 31] after the transforms, but the batch's first has [3, 20, 30]; a resize or crop`,
    )
  })

  test('of a transform name the file, of a subset and of selected classes, too', async () => {
    const dataset = await photos(6)
    const options = { transforms: [transforms.randomCrop(24), transforms.toTensor()], batchSize: 2, workers }
    const path = (index: number): string => dataset.files[index]?.path as string
    const why = 'randomCrop: the image is 3'
    expect(await errorOf(load(dataset, options))).toStartWith(`Error: Example 0 (${path(0)}): ${why}`)
    expect(await errorOf(load(subset(dataset, [3, 2]), options))).toStartWith(`Error: Example 0 (${path(3)}): ${why}`)
    const odd = subset(selectClasses(dataset, ['odd']), [1])
    expect(await errorOf(load(odd, options))).toStartWith(`Error: Example 0 (${path(3)}): ${why}`)
    expect(
      await errorOf(load(subset(held, [7, 9]), { ...options, transforms: [transforms.randomCrop(33)] })),
    ).toStartWith('Error: Example 0 (example 7 of the data set it was chosen from): randomCrop: the image is 32×32')
  })

  test('keep their cause: which file is broken, and how', async () => {
    const dataset = await photos(2, { damaged: [1] })
    const options = { transforms: transforms.articleFineTune({ train: false }), batchSize: 2, workers }
    const { cause } = (await load(dataset, options).catch((error: unknown) => error)) as Error
    expect(cause).toBeInstanceOf(BrokenImageError)
    const { file, reason, message, cause: inner } = cause as BrokenImageError
    expect([file, reason]).toEqual([dataset.files[1]?.path as string, 'damaged'])
    expect(message).toStartWith(`${file} cannot be decoded: `)
    expect(inner).toBeInstanceOf(Error)
  })

  test('transforms that do not end with a tensor', async () => {
    expect(await errorOf(load(held, { transforms: [transforms.resize(8)], batchSize: 2, workers }))).toMatch(
      'Example 0: The transforms end with an image; end them with toTensor().',
    )
  })
})

test('images whose data are no bytes are refused each time they come, and never kept as bytes', async () => {
  const image = { data: new Float32Array(12).fill(0.5) as never, width: 2, height: 2, channels: 3 }
  const dataset = { length: 1, classes: ['a'], get: () => ({ image, label: 0 }) }
  for (const cacheBytes of [0, 2 ** 20]) {
    const loader = createLoader(dataset, { transforms: [transforms.toTensor()], batchSize: 1, cacheBytes })
    for (let turn = 0; turn < 2; turn++)
      expect(await errorOf(loader.batches().next())).toContain(
        "Example 0: An image's data are a Float32Array; expected",
      )
    await loader.close()
  }
})
