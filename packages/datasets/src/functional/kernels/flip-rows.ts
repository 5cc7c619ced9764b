import type { ImageKernels } from '@vitral/core/image'

export const flipRows: ImageKernels['flipRows'] = (height, width, channels, source, output) => {
  for (let y = 0, i = 0; y < height; y++)
    for (let x = width - 1; x >= 0; x--) {
      const from = (y * width + x) * channels
      for (let c = 0; c < channels; c++) output[i++] = source[from + c] as number
    }
}
