/** Decoding in browsers and their workers, by createImageBitmap. */
import type { RawImage } from '../types.ts'
import { type DecodeLimits, type Decoder, Refusal, refused, tooManyPixels } from './decoder.ts'
import type { ImageHeader } from './image-header.ts'

export const decoder: Decoder = { formats: ['jpeg', 'png', 'webp', 'avif', 'gif', 'bmp'], locate, read, decode }

/** A worker takes a relative URL to be one beside its own script. */
function locate(url: string): string {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
  return new URL(url, document?.baseURI ?? location?.href).href
}

async function read(url: string, maxBytes: number): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(url)
  } catch (error) {
    throw new Error(`cannot be reached (${(error as Error).message}).`, { cause: error })
  }
  if (!response.ok || !response.body) throw answered(response)
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (let { value, done } = await reader.read(); !done && value; { value, done } = await reader.read()) {
    size += value.length
    if (size > maxBytes) {
      await reader.cancel()
      throw new Refusal(`has more than maxBytes, ${maxBytes} bytes.`, 'limit')
    }
    chunks.push(value)
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
}

/** Refused by the server for good, or for now. */
function answered({ status, statusText }: Response): Error {
  const why = `answered ${status} ${statusText}.`
  const mayPass = status >= 500 || status === 408 || status === 429
  return mayPass ? new Error(why) : new Refusal(why, 'damaged')
}

async function decode(bytes: Uint8Array, { format }: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  // A copy where the bytes are shared with workers, which a Blob does not take.
  const blob = new Blob([bytes.buffer instanceof ArrayBuffer ? (bytes as BlobPart) : bytes.slice()], {
    type: `image/${format}`,
  })
  const bitmap = await createImageBitmap(blob, {
    imageOrientation: 'from-image',
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  }).catch((error: unknown) => {
    throw refused(error)
  })
  try {
    const { width, height } = bitmap
    if (width * height > limits.maxPixels) throw tooManyPixels(limits)
    return { data: pixelsOf(bitmap), width, height, channels: 3 }
  } finally {
    bitmap.close()
  }
}

function pixelsOf(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('the browser has no 2D canvas to read its pixels with.')
  context.drawImage(bitmap, 0, 0)
  const rgba = context.getImageData(0, 0, width, height).data
  return withoutAlpha((isOpaque(rgba) ? undefined : pixelsUnderAlpha(bitmap)) ?? rgba)
}

function isOpaque(rgba: Uint8ClampedArray): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false
  return true
}

/** A 2D canvas loses the colours of transparent pixels; a texture keeps them. Undefined where there is no WebGL. */
function pixelsUnderAlpha(bitmap: ImageBitmap): Uint8Array | undefined {
  const { width, height } = bitmap
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2')
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined
  const texture = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, texture)
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap)
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer())
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
  const rgba = new Uint8Array(width * height * 4)
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rgba)
  gl.getExtension('WEBGL_lose_context')?.loseContext() // browsers allow few contexts at a time
  return rgba
}

function withoutAlpha(rgba: Uint8Array | Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  for (let i = 0, out = 0; i < rgba.length; i += 4) for (let c = 0; c < 3; c++) rgb[out++] = rgba[i + c] as number
  return rgb
}
