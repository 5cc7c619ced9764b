/** Tells by the names of files which data set a path holds. */
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What a folder has of each data set, the first that matches counts; any other folder is one of images. */
const marks: readonly (readonly [name: string, ...paths: string[]])[] = [
  ['cifar10', 'batches.meta.txt', 'cifar-10-batches-bin'],
  ['cifar100', 'fine_label_names.txt', 'cifar-100-binary'],
  ['fashion-mnist', join('FashionMNIST', 'raw')],
  ['mnist', join('MNIST', 'raw'), 'train-images-idx3-ubyte', 'train-images-idx3-ubyte.gz'],
]

/** @throws when there is nothing at the path. */
export async function guessDataset(path: string): Promise<string> {
  const is = await stat(path).catch(() => undefined)
  if (!is) throw new Error(`${path} does not exist; expected a folder, or the file of a manifest.`)
  if (!is.isDirectory()) return 'manifest'
  for (const [name, ...paths] of marks) for (const mark of paths) if (await isThere(join(path, mark))) return name
  return 'folder'
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
