/** `.npz` of google-research/vision_transformer: weights in a zip archive of NumPy's arrays, and what they say of the model. */
import { disk } from '#platform'
import type { OpenFile } from '../disk/disk.ts'
import { type Folder, withFile } from '../folder.ts'
import type { SafeTensor } from '../safetensors/safetensors.ts'
import type { WeightFiles } from '../weight-files.ts'
import { rowMajor, valuesOf } from './array-weights.ts'
import { fromFlax } from './flax-names.ts'
import { readNpyHeader } from './npy.ts'
import { openZip } from './zip-archive.ts'

export const isNumpyArchive = (path: string): boolean => path.endsWith('.npz')

/**
 * Reads the arrays' headers.
 *
 * @returns undefined where the folder has no such file, or several
 * @throws when it is damaged, or an array is not of numbers
 */
export async function openNumpyWeights(folder: Folder): Promise<WeightFiles | undefined> {
  const [file, ...others] = (await folder.list()).filter(isNumpyArchive)
  if (file === undefined || others.length > 0) return undefined
  const path = folder.pathOf(file)
  return withFile(folder, file, async content => {
    const shapes = new Map<string, readonly number[]>()
    await eachArray(content, path, (name, shape) => shapes.set(name, shape))
    // A head on a tanh layer is no classifier of transformers' ViT, which takes that layer for its pooler.
    if (shapes.has('pooler.dense.weight')) for (const part of ['weight', 'bias']) shapes.delete(`classifier.${part}`)
    return {
      shapes,
      read: async (visit, { wanted = () => true, signal } = {}) => {
        await withFile(folder, file, again =>
          eachArray(again, path, (name, _, array) => {
            signal?.throwIfAborted()
            if (shapes.has(name) && wanted(name)) visit(name, array.read())
          }),
        )
      },
      verify: async () => {}, // its members have checksums, which reading compares
    }
  })
}

interface FlaxArray {
  member: string
  /** [C, H, D] of a query's kernel. */
  shape: readonly number[]
  /** As transformers has it. */
  read: () => SafeTensor
}

async function eachArray(
  file: OpenFile,
  path: string,
  visit: (name: string, shape: readonly number[], array: FlaxArray) => void,
): Promise<void> {
  const archive = await openZip(file, path)
  for (const member of archive.sizes.keys()) {
    const bytes = await archive.read(member)
    const { dtype, begin, ...array } = readNpyHeader(bytes, `${member} in ${path}`)
    const { name, shape, strides } = fromFlax(member.replace(/\.npy$/, ''), array.shape)
    if (array.strides.join() !== rowMajor(array.shape).join())
      throw new Error(`${member} in ${path} is in Fortran's order; expected rows one after the other.`)
    const read = (): SafeTensor => {
      const stored = { member, dtype, offset: 0, shape, strides }
      return { dtype, shape, data: valuesOf(name, stored, bytes.subarray(begin), path) }
    }
    visit(name, shape, { member, shape: array.shape, read })
  }
}

/** A file by itself as a folder, whose other files follow from the arrays: they have every size of the model. */
export function numpyFolder(path: string): Folder {
  const name = disk.basename(path)
  const file: Folder = {
    name: path,
    isVerified: false,
    pathOf: other => (other === name ? path : `${path} (as ${other})`),
    list: async () => ['config.json', 'preprocessor_config.json', name],
    lacks: (other, second) => `${path} has ${second === undefined ? `no ${other}` : `neither ${other} nor ${second}`}`,
    async open(other) {
      if (other === name) return disk.open(path)
      if (other !== 'config.json' && other !== 'preprocessor_config.json') return undefined
      const config = await configOf(file, name, path)
      const size = { height: config.image_size, width: config.image_size }
      return textFile(
        JSON.stringify(other === 'config.json' ? config : { image_processor_type: 'ViTImageProcessor', size }),
      )
    },
  }
  return file
}

async function configOf(folder: Folder, file: string, path: string) {
  const shapes = new Map<string, readonly number[]>()
  let numHeads = 0
  await withFile(folder, file, content =>
    eachArray(content, path, (name, shape, array) => {
      shapes.set(name, shape)
      if (array.member.endsWith('/query/kernel.npy')) numHeads = array.shape[1] ?? 0
    }),
  )
  const sizes = (name: string): readonly number[] => {
    const found = shapes.get(name)
    if (!found)
      throw new Error(`${path} has no ${name}; expected the arrays of a ViT of google-research/vision_transformer.`)
    return found
  }
  const [hiddenSize = 0, channels = 0, patchSize = 0] = sizes('embeddings.patch_embeddings.projection.weight')
  const side = Math.sqrt((sizes('embeddings.position_embeddings')[1] ?? 0) - 1)
  const labels = shapes.has('pooler.dense.weight') ? undefined : shapes.get('classifier.bias')?.[0]
  return {
    model_type: 'vit',
    architectures: [labels === undefined ? 'ViTModel' : 'ViTForImageClassification'],
    hidden_size: hiddenSize,
    num_channels: channels,
    patch_size: patchSize,
    image_size: side * patchSize,
    num_hidden_layers: [...shapes.keys()].filter(name => name.endsWith('.layernorm_before.weight')).length,
    num_attention_heads: numHeads,
    intermediate_size: sizes('encoder.layer.0.intermediate.dense.bias')[0],
    layer_norm_eps: 1e-6, // Flax's default
    ...(labels !== undefined && { num_labels: labels }),
  }
}

function textFile(text: string): OpenFile {
  const bytes = new TextEncoder().encode(text)
  return {
    size: bytes.length,
    async read(target, position) {
      const part = bytes.subarray(position, position + target.length)
      target.set(part)
      return part.length
    },
    close: async () => {},
  }
}
