/** A page that prepares one picture in every form it can have, and posts the values; and what it says of those that are none. */
import { useBackend } from '../src/backend.ts'
import { ViTImageProcessor } from '../src/image/image-processor.ts'
import type { ImageSource } from '../src/image/image-source.ts'

export interface ImageSourceResults {
  /** Pixel values by the name of the source. */
  values: Record<string, number[]>
  errors: Record<string, string>
}

async function run(): Promise<ImageSourceResults> {
  await useBackend('cpu')
  const processor = new ViTImageProcessor({ size: { height: 8, width: 8 } })
  const results: ImageSourceResults = { values: {}, errors: {} }
  const blob = await (await fetch('/picture.png')).blob()
  const bitmap = await createImageBitmap(blob)
  const { width, height } = bitmap
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
  const offscreen = new OffscreenCanvas(width, height)
  offscreen.getContext('2d')?.drawImage(bitmap, 0, 0)
  const element = Object.assign(new Image(), { src: '/picture.png' })
  await element.decode()
  const sources: Record<string, ImageSource> = {
    address: '/picture.png',
    URL: new URL('/picture.png', location.href),
    Blob: blob,
    File: new File([blob], 'picture.png', { type: 'image/png' }),
    ArrayBuffer: await blob.arrayBuffer(),
    Uint8Array: new Uint8Array(await blob.arrayBuffer()),
    ImageBitmap: bitmap,
    canvas,
    OffscreenCanvas: offscreen,
    ImageData: canvas.getContext('2d')?.getImageData(0, 0, width, height) as ImageData,
    VideoFrame: new VideoFrame(bitmap, { timestamp: 0 }),
    // Shown twice as wide as its pixels are.
    'VideoFrame of another shape': new VideoFrame(bitmap, {
      timestamp: 0,
      displayWidth: 2 * width,
      displayHeight: height,
    }),
    image: element,
  }
  for (const [name, source] of Object.entries(sources)) {
    const pixels = await processor.preprocess(source)
    results.values[name] = [...(await pixels.data())]
    pixels.dispose()
  }
  results.values.video = await videoValues(processor, bitmap)
  const closed = await createImageBitmap(blob)
  closed.close()
  const faults: Record<string, unknown> = {
    cut: new File([blob.slice(0, 0.6 * blob.size)], 'cut.png'),
    text: new Blob(['no image']),
    empty: new File([], 'empty.png'),
    missing: '/missing.png',
    closed,
    video: document.createElement('video'),
    nothing: undefined,
    map: new Map(),
    'canvas of no size': Object.assign(document.createElement('canvas'), { width: 0 }),
  }
  for (const [name, source] of Object.entries(faults))
    results.errors[name] = await processor.preprocess(source as ImageSource).then(
      () => 'none',
      ({ message }: Error) => message,
    )
  return results
}

/** What a video element shows of the picture; colours come back from it as near as its format has them. */
async function videoValues(processor: ViTImageProcessor, picture: ImageBitmap): Promise<number[]> {
  const { width, height } = picture
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const draw = (): void => canvas.getContext('2d')?.drawImage(picture, 0, 0)
  draw()
  const video = Object.assign(document.createElement('video'), { muted: true, srcObject: canvas.captureStream() })
  const timer = setInterval(draw, 20) // a stream has a picture for each change of its canvas
  await Promise.all([new Promise(resolve => video.addEventListener('loadeddata', resolve)), video.play()])
  clearInterval(timer)
  const pixels = await processor.preprocess(video)
  return [...(await pixels.data())]
}

const results = await run().catch(({ message }: Error) => ({ values: {}, errors: { page: message } }))
await fetch('/results', { method: 'POST', body: JSON.stringify(results) })
