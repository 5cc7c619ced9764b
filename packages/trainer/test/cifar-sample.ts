/** CIFAR-10's binary files as examples in memory, in browsers as in Bun. */
import { type Dataset, memoryDataset } from '@vitral/datasets'

const pixels = 32 * 32
const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

/** The first `count` images of a file, each a label and three planes. */
export function cifarDataset(bytes: Uint8Array, count: number): Promise<Dataset> {
  const examples = Array.from({ length: count }, (_, i) => {
    const record = bytes.subarray(i * (1 + 3 * pixels), (i + 1) * (1 + 3 * pixels))
    const data = Uint8Array.from(
      { length: 3 * pixels },
      (_, at) => record[1 + (at % 3) * pixels + Math.floor(at / 3)] as number,
    )
    return { image: { data, width: 32, height: 32, channels: 3 }, label: record[0] as number }
  })
  return memoryDataset(examples, names)
}
