import type { ImageKernels } from '@vitral/core/image'

export const applyLut: ImageKernels['applyLut'] = (_pixels, channels, source, table, output) => {
  for (let c = 0, out = 0; c < channels; c++)
    for (let i = c; i < source.length; i += channels) output[out++] = table[c * 256 + (source[i] as number)] as number
}
