/** Files of unsupported formats, most of which can name other files, and images with such a file appended (polyglots). */
import sharp, { type Sharp } from 'sharp'

/** @param path of the file that it names, where its format can */
type MakeFile = (path: string) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>

export const text = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const plain = (): Sharp => sharp({ create: { width: 20, height: 10, channels: 3, background: '#c84' } })
const file = async (picture: Sharp): Promise<Uint8Array<ArrayBuffer>> => Uint8Array.from(await picture.toBuffer())

/** An empty archive: only the end record, by which an archive is recognized. */
const emptyZip: MakeFile = () => Uint8Array.from([...text('PK\x05\x06'), ...new Uint8Array(18)])
const svg =
  (attribute: string): MakeFile =>
  path =>
    text(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image width="9" height="9" ${attribute}="file://${path}"/></svg>`,
    )
const pdf: MakeFile = path => text(`%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile /F (${path}) >>\nendobj\n`)

export const notImages: Readonly<Record<string, MakeFile>> = {
  'an SVG': svg('href'),
  'an SVG of old': svg('xlink:href'),
  'an SVG with an entity': path => text(`<!DOCTYPE svg [<!ENTITY x SYSTEM "file://${path}">]><svg>&x;</svg>`),
  'a GIF': () => file(plain().gif()),
  'a TIFF': () => file(plain().tiff()),
  'an AVIF': () => file(plain().avif()),
  'a HEIF': () => text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
  'a start of a BMP': () => text(`BM\x46${'\0'.repeat(67)}`),
  'a PDF': pdf,
  'a PostScript': path => text(`%!PS-Adobe-3.0 EPSF-3.0\n(${path}) (r) file\n`),
  'a drawing of ImageMagick': path => text(`push graphic-context\nimage over 0,0 9,9 '${path}'\npop graphic-context\n`),
  'a script of ImageMagick': path => text(`<?xml version="1.0"?><image><read filename="${path}"/></image>`),
  'a playlist': path => text(`#EXTM3U\n#EXTINF:1,\nfile://${path}\n`),
  'a path': text,
  'a path in a list': path => text(`@${path}`),
  'an address': path => text(`file://${path}`),
  'a ZIP before a JPEG': async path => Uint8Array.from([...(await emptyZip(path)), ...(await file(plain().jpeg()))]),
}

/** What may stand behind the end of a JPEG, which stays the image that it is. */
export const polyglotEnds: Readonly<Record<string, MakeFile>> = {
  'a ZIP': emptyZip,
  'a PDF': pdf,
  'a script': () => text('<script>alert(1)</script>'),
  'an SVG': svg('xlink:href'),
}
