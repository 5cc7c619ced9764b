/** Images as small files, by the browser's own codecs. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import type { encodePicture as inNode } from './encode-picture.ts'

/** As encode-picture.ts has it. */
export const encodePicture: typeof inNode = async (image, { maxSide = Number.POSITIVE_INFINITY } = {}) => {
  checkImage(image)
  const { width, height } = image
  const longest = Math.max(width, height)
  const whole = canvasOf(width, height)
  whole.context.putImageData(new ImageData(rgbaOf(image), width, height), 0, 0)
  const shown = longest > maxSide ? scaled(whole.canvas, maxSide / longest) : whole.canvas
  const mimeType = longest <= 64 ? 'image/png' : 'image/jpeg'
  const blob = await shown.convertToBlob({ type: mimeType, quality: 0.85 })
  return { bytes: new Uint8Array(await blob.arrayBuffer()), mimeType }
}

function canvasOf(
  width: number,
  height: number,
): { canvas: OffscreenCanvas; context: OffscreenCanvasRenderingContext2D } {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser has no 2D canvas to draw pictures with.')
  return { canvas, context }
}

function scaled(from: OffscreenCanvas, factor: number): OffscreenCanvas {
  const side = (length: number): number => Math.max(1, Math.round(length * factor))
  const { canvas, context } = canvasOf(side(from.width), side(from.height))
  context.imageSmoothingQuality = 'high'
  context.drawImage(from, 0, 0, canvas.width, canvas.height)
  return canvas
}

function rgbaOf({ data, width, height, channels }: RawImage): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) rgba[i * 4 + c] = data[i * channels + (channels < 3 ? 0 : c)] as number
  return rgba
}
