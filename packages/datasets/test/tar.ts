/** Writes tar archives for tests, malicious ones included. */

export interface TarEntry {
  name: string
  content?: Uint8Array | string
  /** '0' is a file, '2' a symbolic link, '5' a folder. */
  type?: string
  linkName?: string
}

export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0', linkName = '' }) => {
    const body = Buffer.from(content as string)
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(linkName, 157)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, body, Buffer.alloc(-body.length & 511)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
