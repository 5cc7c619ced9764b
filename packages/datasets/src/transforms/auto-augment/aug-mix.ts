import { checkInteger } from '@vitral/core/check'
import { checkInterpolation, type ProjectOptions } from '../../functional/project.ts'
import { drawDirichlet } from '../../random/distributions.ts'
import type { Random } from '../../random/random.ts'
import type { RawImage, Transform } from '../../types.ts'
import { aboveZero, checkNumber, imageTransform, mostCount } from '../define.ts'
import { applyEitherWay } from './augmentation-operations.ts'
import { type AugmentationSpace, augmentationSpace } from './augmentation-space.ts'

/** Settings of `augMix`. */
export interface AugMixOptions extends ProjectOptions {
  /** Severity of the operations, from 1 to 10: how many of ten magnitudes are drawn from. @default 3 */
  severity?: number
  /** How many chains of operations are mixed. @default 3 */
  mixtureWidth?: number
  /** Operations in each chain; −1 draws from 1 to 3. @default -1 */
  chainDepth?: number
  /** Concentration of the Dirichlet distribution from which the shares are drawn. @default 1 */
  alpha?: number
  /** With brightness, colour, contrast and sharpness, which the benchmarks of corruptions use. @default true */
  allOps?: boolean
  /** Filter of the geometric operations. @default 'bilinear' */
  interpolation?: ProjectOptions['interpolation']
}

const steps = 10
export const augMixSpace: AugmentationSpace = augmentationSpace({
  shear: 0.3,
  translate: length => length / 3,
  rotate: 30,
  color: 0.9,
  posterize: [4, 0],
})
const colorOperations: readonly string[] = ['brightness', 'color', 'contrast', 'sharpness']

/** The image mixed with several others made of it by chains of operations (torchvision's AugMix). RGB or grey. */
export function augMix(options: AugMixOptions = {}): Transform<RawImage, RawImage> {
  const { severity = 3, mixtureWidth = 3, chainDepth = -1, alpha = 1, allOps = true } = options
  const { interpolation = 'bilinear', fill = 0 } = options
  checkInteger('augMix: severity', severity, 1, steps)
  checkInteger('augMix: mixtureWidth', mixtureWidth, 1, mostCount)
  checkInteger('augMix: chainDepth', chainDepth, -1, mostCount)
  checkNumber('augMix', 'alpha', alpha, aboveZero)
  checkInterpolation('augMix', interpolation)
  const drawing: ProjectOptions = { interpolation, fill }
  const choice = allOps ? augMixSpace : augMixSpace.filter(([name]) => !colorOperations.includes(name))

  function chain(image: RawImage, random: Random): RawImage {
    const depth = chainDepth > 0 ? chainDepth : random.below(3) + 1
    let result = image
    for (let i = 0; i < depth; i++) {
      const [name, magnitude] = choice[random.below(choice.length)] as AugmentationSpace[number]
      result = applyEitherWay(name, result, magnitude(random.below(severity), steps, image), random, drawing)
    }
    return result
  }

  return imageTransform('augMix', [options], (image, random) => {
    const [own = 1, others = 0] = drawDirichlet(random, alpha, 2)
    const mixed = new Float32Array(image.data.length)
    addShare(mixed, image, own)
    for (const share of drawDirichlet(random, alpha, mixtureWidth))
      addShare(mixed, chain(image, random), share * others)
    return { ...image, data: new Uint8Array(mixed) }
  })
}

function addShare(mixed: Float32Array, { data }: RawImage, share: number): void {
  for (let i = 0; i < mixed.length; i++) mixed[i] = (mixed[i] as number) + share * (data[i] as number)
}
