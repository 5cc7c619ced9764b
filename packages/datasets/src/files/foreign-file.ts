/** Names well-known kinds of files by their first bytes, for messages about a file that is not what its name promises. */

const signatures: readonly { what: string; matches: (start: Uint8Array, text: string) => boolean }[] = [
  { what: 'it is empty', matches: start => start.length === 0 },
  { what: 'it is a gzip archive that must be unpacked', matches: start => start[0] === 0x1f && start[1] === 0x8b },
  { what: 'it is a zip archive that must be unpacked', matches: (_, text) => text.startsWith('PK\x03\x04') },
  { what: 'it is an SVG drawing', matches: (_, text) => /<svg[\s>]/i.test(text) },
  {
    what: 'it is a web page, which a failed download left',
    matches: (_, text) => /^\s*<(!doctype|html|head|\?xml)/i.test(text),
  },
  { what: 'it is a HEIC image', matches: (_, text) => /^.{4}ftyp(hei|hev|mif1)/s.test(text) },
  { what: 'it is a JPEG XL image', matches: (_, text) => text.startsWith('\xff\n') || text.startsWith('JXL ', 4) },
  { what: 'it is a JPEG 2000 image', matches: (_, text) => text.startsWith('\xffO\xff') || text.startsWith('jP  ', 4) },
  { what: 'it is a Photoshop file', matches: (_, text) => text.startsWith('8BPS') },
  { what: 'it is a PDF', matches: (_, text) => text.startsWith('%PDF') },
  {
    what: 'it is a pointer of Git LFS, whose file has not been fetched',
    matches: (_, text) => text.startsWith('version https://git-lfs'),
  },
]

/**
 * @param start the first bytes of the file, 256 or all it has
 * @returns undefined when it is none of the known kinds
 */
export function describeForeignBytes(start: Uint8Array): string | undefined {
  const head = start.subarray(0, 256)
  // biome-ignore lint/plugin: 256 bytes at most
  const text = String.fromCharCode(...head)
  return signatures.find(({ matches }) => matches(head, text))?.what
}
