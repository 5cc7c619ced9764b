/**
 * The pixels of what a page shows, as they are: at their full size and unscaled, for a canvas does not resize as PIL does.
 * Colours are sRGB's; alpha is kept, and colours under it as well as the browser has them.
 */
import type { BitmapImage, CanvasImage, DataImage, FrameImage, PixelSource, VideoImage } from './image-source.ts'
import { nameOfSource } from './image-source.ts'
import type { RawImage } from './raw-image.ts'

/** What canvases draw. */
type Drawable = Parameters<OffscreenCanvasRenderingContext2D['drawImage']>[0]

/**
 * The pixels of what a canvas can draw, through a canvas.
 *
 * @returns RGBA
 * @throws saying why there is nothing to read: no pixel yet, or those of another site, which the browser keeps to itself
 */
export function readPixels(source: PixelSource): RawImage {
  if ('data' in source) return fromData(source)
  const [width, height] = sizeOf(source)
  if (!(width > 0 && height > 0)) throw unreadable(source, `it has ${width}×${height} pixels`)
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' })
  if (!context) throw unreadable(source, 'the browser has no 2D canvas to read it with')
  try {
    // The size is said, since a frame may be shown at another than it has.
    context.drawImage(source as unknown as Drawable, 0, 0, width, height)
    return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 }
  } catch (error) {
    const isForeign = (error as Error).name === 'SecurityError'
    throw unreadable(
      source,
      isForeign ? 'it holds pixels of another site, whose server has to allow that (CORS)' : (error as Error).message,
      error,
    )
  }
}

/** A VideoFrame at the size of its pixels, and not at the one it is shown at, which would take scaling; turned where it says so. */
function sizeOf(source: BitmapImage | CanvasImage | VideoImage | FrameImage): readonly [width: number, height: number] {
  if ('videoWidth' in source) {
    const { readyState } = source as unknown as { readyState: number }
    if (readyState < 2) throw unreadable(source, "it has no picture yet; wait for its event 'loadeddata'")
    return [source.videoWidth, source.videoHeight]
  }
  if (!('displayWidth' in source)) return [source.width, source.height]
  const { visibleRect, rotation = 0 } = source as unknown as {
    visibleRect: { width: number; height: number } | null
    rotation?: number
  }
  const { width, height } = visibleRect ?? { width: 0, height: 0 } // a closed frame has none
  return rotation % 180 === 0 ? [width, height] : [height, width]
}

function fromData({ data, width, height }: DataImage): RawImage {
  return { data: data as RawImage['data'], width, height, channels: 4 }
}

const unreadable = (source: PixelSource, why: string, cause?: unknown): Error =>
  new Error(`${nameOfSource(source)} cannot be read: ${why}.`, { cause })
