/** Memory for a configuration's parameters: numbers of a file or a recipe may ask for more than any machine has. */
import { totalmem } from '#platform'

/** The fields of a configuration that the parameters' sizes depend on. */
interface ParameterSizes {
  hiddenSize: number
  intermediateSize: number
  numChannels: number
  numHiddenLayers: number
  numLabels: number
  poolerOutputSize: number | null
}

/** Beside its numbers each tensor has a name, a shape and an entry in the backend. */
const BYTES_OF_TENSOR = 1024
const TENSORS_OF_LAYER = 16

/**
 * @param grid rows and columns of patches
 * @param patch height and width in pixels
 * @param source what errors call the configuration
 * @throws when the parameters would take more bytes than the machine has, or more numbers than one tensor can
 */
export function checkMemory(
  { hiddenSize: C, intermediateSize, numChannels, numHiddenLayers, numLabels, poolerOutputSize }: ParameterSizes,
  [rows, columns]: readonly [number, number],
  [patchHeight, patchWidth]: readonly [number, number],
  source: string,
): void {
  const tensors: [what: string, numbers: number][] = [
    ['position embeddings', (1 + rows * columns) * C],
    ['patch projection', C * numChannels * patchHeight * patchWidth],
    ['weights of a layer', C * Math.max(C, intermediateSize)],
    ['pooler', C * (poolerOutputSize ?? 0)],
    ['classifier', C * numLabels],
  ]
  for (const [what, numbers] of tensors)
    if (numbers >= 2 ** 31)
      throw new Error(
        `${source} asks for ${numbers} numbers in the ${what}; expected fewer than 2^31, which one tensor holds.`,
      )
  const layer = 4 * C * C + 2 * C * intermediateSize + 9 * C + intermediateSize
  const numbers = tensors.reduce((sum, [, count]) => sum + count, 0) + numHiddenLayers * layer
  const bytes = 4 * numbers + numHiddenLayers * TENSORS_OF_LAYER * BYTES_OF_TENSOR
  const most = totalmem()
  if (bytes > most)
    throw new Error(
      `${source} asks for parameters of ${gigabytes(bytes)} GB (hiddenSize ${C}, numHiddenLayers ${numHiddenLayers}); expected at most the ${gigabytes(most)} GB that this machine has.`,
    )
}

const gigabytes = (bytes: number): string => (bytes < 1e10 ? (bytes / 1e9).toFixed(1) : String(Math.round(bytes / 1e9)))
