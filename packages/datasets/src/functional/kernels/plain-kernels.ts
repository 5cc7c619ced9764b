/** The loops over images' bytes in plain TypeScript: what browsers run, and what native ones are tested against. */
import { type ImageKernels, resizeImage } from '@vitral/core/image'
import { blendWithGrey, blendWithLuma } from './blend.ts'
import { flipRows } from './flip-rows.ts'
import { lookUpPlanes } from './look-up-planes.ts'
import { luma, lumaSum } from './luma.ts'
import { projectBilinear, projectNearest, projectNearestInFloat } from './project.ts'
import { turnHue } from './turn-hue.ts'

export const plainKernels: ImageKernels = {
  resizeImage(height, width, channels, data, newHeight, newWidth, bicubic, output) {
    const interpolation = bicubic ? 'bicubic' : 'bilinear'
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
  turnHue,
  lookUpPlanes,
}
