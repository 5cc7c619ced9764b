/** The loops over images' bytes in plain TypeScript: what browsers run, and what native ones are tested against. */
import { type ImageKernels, interpolations, resizeImage } from '@vitral/core/image'
import { adjustHue } from './adjust-hue.ts'
import { applyLut } from './apply-lut.ts'
import { blendWithGrey, blendWithLuma } from './blend.ts'
import { flipRows } from './flip-rows.ts'
import { luma, lumaSum } from './luma.ts'
import { projectBilinear, projectNearest, projectNearestInFloat } from './project.ts'

export const plainKernels: ImageKernels = {
  resizeImage(height, width, channels, data, newHeight, newWidth, filter, output) {
    const interpolation = interpolations[filter]
    output.set(resizeImage({ data, width, height, channels }, [newHeight, newWidth], { interpolation }).data)
  },
  flipRows,
  projectNearest,
  projectNearestInFloat,
  projectBilinear,
  blendWithGrey,
  blendWithLuma,
  luma,
  lumaSum,
  adjustHue,
  applyLut,
}
