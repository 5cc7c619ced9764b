/** Ink to light, in Pillow's arithmetic and without a profile, as its convert('RGB') does. */
import type { RawImage } from '../types.ts'

/** @param image 4 channels: cyan, magenta, yellow and black, 255 is all ink */
export function cmykToRgb({ data, width, height }: RawImage): RawImage {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0, out = 0; i < data.length; i += 4) {
    const light = 255 - (data[i + 3] as number)
    for (let c = 0; c < 3; c++) rgb[out++] = light - share(data[i + c] as number, light)
  }
  return { data: rgb, width, height, channels: 3 }
}

/** a · b / 255, rounded. */
function share(a: number, b: number): number {
  const product = a * b + 128
  return ((product >> 8) + product) >> 8
}
