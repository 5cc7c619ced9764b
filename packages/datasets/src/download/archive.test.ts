/** Downloading and unpacking, against a server in this process. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type TarEntry, tar } from '../../test/tar.ts'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { type Archive, getArchive } from './archive.ts'
import type { DownloadProgress } from './download-file.ts'

let served: Buffer<ArrayBuffer>
let ranges: (string | null)[]
let useRanges: boolean

const server = Bun.serve({
  port: 0,
  fetch(request) {
    const range = request.headers.get('range')
    ranges.push(range)
    const start = useRanges && range ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0
    if (start >= served.length) return new Response(null, { status: 416 })
    const url = new URL(request.url)
    if (url.pathname === '/missing.tar.gz') return new Response('no', { status: 404 })
    return new Response(served.subarray(start), { status: start > 0 ? 206 : 200 })
  },
})
afterAll(() => server.stop(true))
beforeEach(() => {
  served = Buffer.from(gzipSync(tar(good)))
  ranges = []
  useRanges = true
})

const noise = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i, 2654435761) >>> 24)
const good: TarEntry[] = [
  { name: 'set/', type: '5' },
  { name: 'set/a.bin', content: noise },
  { name: 'set/readme.html', content: '<html>' },
  { name: 'set/b.txt', content: 'two' },
]

const archive = (changes: Partial<Archive> = {}): Archive => ({
  url: new URL('/set.tar.gz', server.url).href,
  md5: createHash('md5').update(served).digest('hex'),
  folder: 'set',
  files: ['a.bin', 'b.txt'],
  maxBytes: 100_000,
  ...changes,
})

test('unpacks the wanted files and leaves nothing else', async () => {
  const parent = temporaryFolder()
  const progress: DownloadProgress[] = []
  const folder = await getArchive(parent, archive(), { onProgress: step => progress.push(step) })
  expect(folder).toBe(join(parent, 'set'))
  expect(readdirSync(parent)).toEqual(['set'])
  expect(readdirSync(folder).sort()).toEqual(['a.bin', 'b.txt'])
  expect(new Uint8Array(readFileSync(join(folder, 'a.bin')))).toEqual(noise)
  expect(progress.at(-1)).toEqual({ file: 'set.tar.gz', received: served.length, total: served.length })
})

test.each([true, false])('getArchive resumes a download that broke off (server knows ranges: %p)', async known => {
  const parent = temporaryFolder()
  useRanges = known
  writeFileSync(join(parent, 'set.tar.gz.incomplete'), served.subarray(0, 1000))
  const progress: DownloadProgress[] = []
  const folder = await getArchive(parent, archive(), { onProgress: step => progress.push(step) })
  expect(ranges).toEqual(['bytes=1000-'])
  expect(progress.at(-1)?.received).toBe(served.length)
  expect(readFileSync(join(folder, 'b.txt'), 'utf8')).toBe('two')
})

test('getArchive needs no more bytes when all have come', async () => {
  const parent = temporaryFolder()
  writeFileSync(join(parent, 'set.tar.gz.incomplete'), served)
  await getArchive(parent, archive())
  expect(existsSync(join(parent, 'set/a.bin'))).toBe(true)
})

test('getArchive refuses and deletes a file with a flipped bit', async () => {
  const parent = temporaryFolder()
  const { md5 } = archive()
  served[500] = (served[500] as number) ^ 1
  await expect(getArchive(parent, archive({ md5 }))).rejects.toThrow(/arrived damaged: its md5 is \w+, expected/)
  expect(readdirSync(parent)).toEqual([])
})

test('replaces files of an earlier attempt', async () => {
  const parent = temporaryFolder()
  const folder = await getArchive(parent, archive())
  writeFileSync(join(folder, 'a.bin'), 'truncated')
  await getArchive(parent, archive())
  expect(new Uint8Array(readFileSync(join(folder, 'a.bin')))).toEqual(noise)
})

test('getArchive says what the server answered, or that there is none', async () => {
  const parent = temporaryFolder()
  const missing = archive({ url: new URL('/missing.tar.gz', server.url).href })
  await expect(getArchive(parent, missing)).rejects.toThrow('missing.tar.gz answered 404 Not Found.')
  const nowhere = archive({ url: 'http://127.0.0.1:1/set.tar.gz' })
  await expect(getArchive(parent, nowhere)).rejects.toThrow('http://127.0.0.1:1/set.tar.gz cannot be reached')
})

const refused: Record<string, { entries: TarEntry[]; message: string }> = {
  'a name that climbs out': {
    entries: [{ name: '../a.bin', content: 'evil' }, { name: 'set/../../a.bin', content: 'evil' }, ...good.slice(3)],
    message: 'the archive has no set/a.bin',
  },
  'an absolute name': {
    entries: [{ name: '/tmp/a.bin', content: 'evil' }, ...good.slice(3)],
    message: 'the archive has no set/a.bin',
  },
  'a link in place of a file': {
    entries: [{ name: 'set/a.bin', type: '2', linkName: '/etc/passwd' }, ...good.slice(3)],
    message: 'the archive has no set/a.bin',
  },
  'a file that is there twice': { entries: [...good, { name: 'set/b.txt', content: 'again' }], message: 'exist' },
  'a bomb': {
    entries: [...good, { name: 'set/zeros', content: new Uint8Array(200_000) }],
    message: 'it unpacks to more than 100000 bytes',
  },
}

for (const [what, { entries, message }] of Object.entries(refused))
  test(`an archive is refused: ${what}`, async () => {
    served = Buffer.from(gzipSync(tar(entries)))
    const parent = temporaryFolder()
    const refusal = await getArchive(parent, archive()).then(
      () => 'unpacked',
      (error: Error) => error.message,
    )
    expect(refusal).toStartWith(`${join(parent, 'set.tar.gz')} cannot be unpacked: `)
    expect(refusal).toContain(message)
    expect(readdirSync(parent)).toEqual(['set.tar.gz'])
  })

test.each([
  ['no gzip', (): Buffer => tar(good)],
  ['no tar', (): Buffer => gzipSync(Buffer.from('x'.repeat(2000)))],
  ['cut off inside the gzip', (): Buffer => gzipSync(tar(good)).subarray(0, 1000)],
  ['cut off inside the tar', (): Buffer => gzipSync(tar(good).subarray(0, 3000))],
])('refuses an archive that is %s', async (_, make) => {
  served = Buffer.from(make())
  const parent = temporaryFolder()
  await expect(getArchive(parent, archive())).rejects.toThrow('set.tar.gz cannot be unpacked: ')
  expect(existsSync(join(parent, 'set'))).toBe(false)
})
