/** `pytorch_model.bin`: the weights of older models, a zip archive of numbers and of a pickle that says where they are. */
import { shortText } from '../../text.ts'
import type { OpenFile } from '../disk/disk.ts'
import { type Folder, withFile } from '../folder.ts'
import type { WeightFiles } from '../weight-files.ts'
import { valuesOf } from './array-weights.ts'
import { tensorsOfPickle } from './pickle.ts'
import { openZip, type ZipArchive } from './zip-archive.ts'

export const PYTORCH_WEIGHTS = 'pytorch_model.bin'

/** The table of the largest models is a few megabytes. */
const MOST_PICKLE_BYTES = 2 ** 26

/**
 * Reads which tensors the file has.
 *
 * @returns undefined where the folder has no such file
 * @throws when it is of PyTorch before 1.6, damaged, or asks for code to be run
 */
export const openPytorchWeights = (folder: Folder): Promise<WeightFiles | undefined> =>
  withFile(folder, PYTORCH_WEIGHTS, async file => {
    const path = folder.pathOf(PYTORCH_WEIGHTS)
    const { tensors } = await openCheckpoint(file, path)
    return {
      shapes: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
      read: async (visit, { wanted = () => true, signal } = {}) => {
        await withFile(folder, PYTORCH_WEIGHTS, async content => {
          const { archive, root } = await openCheckpoint(content, path)
          for (const [name, array] of tensors) {
            if (!wanted(name)) continue
            signal?.throwIfAborted()
            const bytes = await archive.read(`${root}/data/${array.member}`)
            visit(name, { dtype: array.dtype, shape: array.shape, data: valuesOf(name, array, bytes, path) })
          }
        })
      },
      verify: async () => {}, // its members have checksums, which reading compares
    }
  })

async function openCheckpoint(file: OpenFile, path: string) {
  const beginning = new Uint8Array(2)
  await file.read(beginning, 0)
  if (beginning[0] === 0x80)
    throw new Error(
      `${path} is of PyTorch before 1.6, or a bare pickle; expected a zip archive: save it again in Python.`,
    )
  const archive: ZipArchive = await openZip(file, path)
  const pickle = [...archive.sizes.keys()].find(name => /^[^/]+\/data\.pkl$/.test(name))
  if (pickle === undefined) throw new Error(`${path} has no data.pkl; expected a checkpoint that torch.save wrote.`)
  const bytes = archive.sizes.get(pickle) as number
  if (bytes > MOST_PICKLE_BYTES)
    throw new Error(`${shortText(pickle)} in ${path} has ${bytes} bytes; expected at most ${MOST_PICKLE_BYTES}.`)
  const root = pickle.slice(0, pickle.indexOf('/'))
  if (archive.sizes.has(`${root}/byteorder`)) {
    const order = new TextDecoder().decode(await archive.read(`${root}/byteorder`))
    if (order.trim() !== 'little')
      throw new Error(`${path} has numbers of byteorder ${shortText(order)}; expected little.`)
  }
  return { archive, root, tensors: tensorsOfPickle(await archive.read(pickle), `data.pkl in ${path}`) }
}
