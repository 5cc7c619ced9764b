/** Several views of each image, whose probabilities are averaged: slower, and usually a little more accurate. */
import { logSumExp, reverse, slice, stack, sub, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'

/**
 * 'flip': the image and its mirror image. 'five-crop': the corners and the middle of a larger image. 'ten-crop': those and
 * their mirror images. torchvision's FiveCrop and TenCrop.
 */
export type TestTimeAugmentation = 'flip' | 'five-crop' | 'ten-crop'

export const testTimeAugmentations: readonly TestTimeAugmentation[] = ['flip', 'five-crop', 'ten-crop']

/** How much larger than the model's its images are made for crops: ImageNet's usual 256 for 224. */
export const cropMargin: number = 8 / 7

/**
 * Logarithms of the mean probabilities over the views: as good as logits, for ranks and for the loss.
 *
 * @param pixels [B, c, h, w]; for crops larger than `size`
 * @param size height and width that the model takes
 * @param logitsOf [B, c, h, w] → [B, K]
 */
export function averageViews(
  pixels: Tensor4D,
  size: readonly [height: number, width: number],
  augmentation: TestTimeAugmentation,
  logitsOf: (view: Tensor4D) => Tensor2D,
): Tensor2D {
  const crops = augmentation === 'flip' ? [pixels] : fiveCrops(pixels, size)
  const views = augmentation === 'five-crop' ? crops : crops.flatMap(crop => [crop, reverse(crop, 3)])
  // Logarithms throughout: a probability too small for a number would have an infinite one.
  const logProbabilities = views.map(view => {
    const logits = logitsOf(view)
    return sub(logits, logSumExp(logits, 1, true))
  })
  return sub(logSumExp(stack(logProbabilities), 0), Math.log(views.length)) // [B, K]
}

function fiveCrops(pixels: Tensor4D, [height, width]: readonly [number, number]): Tensor4D[] {
  const [batch, channels, fullHeight, fullWidth] = pixels.shape
  const [down, right] = [fullHeight - height, fullWidth - width]
  const places: [top: number, left: number][] = [
    [0, 0],
    [0, right],
    [down, 0],
    [down, right],
    [Math.round(down / 2), Math.round(right / 2)],
  ]
  return places.map(([top, left]) => slice(pixels, [0, 0, top, left], [batch, channels, height, width]))
}
