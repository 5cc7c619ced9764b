/**
 * The pixels that Chromium's and Firefox's decoders give beside sharp's: every fixture, pictures turned by EXIF, with a
 * profile and with alpha, and files that are cut off. README says where they differ.
 */
import { beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { browsers, resultsIn } from '../../../core/test/browser-results.ts'
import type { Posted } from '../../test/browser-decode-page.ts'
import { decodeImage } from './decode-image.ts'

const fixtures = join(import.meta.dir, '../../test/fixtures/decode')
const files = new Map<string, Uint8Array>()
for (const name of readdirSync(fixtures))
  if (!/\.(json|tif|p[bgp]m)$/.test(name)) files.set(name, readFileSync(join(fixtures, name)))

const [width, height] = [61, 43]
/** Waves, as photographs have them, so that JPEG's decoders have something to differ in. */
const wave = (i: number): number => 128 + 120 * Math.sin(i / 29) * Math.cos(i / (width * 11))
const picture = (channels: 3 | 4): Sharp => {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) =>
    i % 4 === 3 && channels === 4 ? (i * 7) % 256 : wave(i + 40 * (i % channels)),
  )
  return sharp(data, { raw: { width, height, channels } })
}

async function addPictures(): Promise<void> {
  for (const orientation of [2, 3, 6, 8]) {
    const turned = (channels: 3 | 4): Sharp => picture(channels).withMetadata({ orientation })
    files.set(`turned-${orientation}.jpg`, await turned(3).jpeg({ quality: 85 }).toBuffer())
    for (const channels of [3, 4] as const) {
      files.set(`turned-${orientation}-${channels}.png`, await turned(channels).png().toBuffer())
      files.set(
        `turned-${orientation}-${channels}.webp`,
        await turned(channels).webp({ lossless: true, exact: true }).toBuffer(),
      )
    }
  }
  files.set('photo.jpg', await picture(3).jpeg({ quality: 85 }).toBuffer())
  files.set('photo-full-chroma.jpg', await picture(3).jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer())
  files.set('photo-progressive.jpg', await picture(3).jpeg({ progressive: true }).toBuffer())
  files.set('profile-p3.jpg', await picture(3).withIccProfile('p3').jpeg().toBuffer())
  files.set('profile-p3.png', await picture(3).withIccProfile('p3').png().toBuffer())
  files.set('photo.webp', await picture(3).webp().toBuffer())
  files.set('photo.avif', await picture(3).avif().toBuffer())
}

const cut = [
  'photo.jpg',
  'photo-progressive.jpg',
  'profile-p3.png',
  'photo.webp',
  'photo.avif',
  'colour.gif',
  'colour.bmp',
]
const changed = 'changed.png' // one bit of its pixels

/** The largest difference of a byte that README tells of. */
function tolerance(browser: string, name: string): number {
  if (name.endsWith('.avif')) return 1
  return browser === 'Firefox' && name.includes('16.png') ? 1 : 0
}

describe.each(browsers)('in %s', (browserName, browser) => {
  let results: Record<string, Posted>

  beforeAll(async () => {
    if (!browser.program) return
    await addPictures()
    const all = new Map(files)
    for (const name of cut) {
      const bytes = files.get(name) as Uint8Array
      all.set(`cut-${name}`, bytes.subarray(0, 0.6 * bytes.length))
    }
    const damaged = Uint8Array.from(files.get('colour.png') as Uint8Array)
    damaged[damaged.length - 20] = (damaged.at(-20) as number) ^ 1
    all.set(changed, damaged)
    results = await resultsIn(browser, join(import.meta.dir, '../../test/browser-decode-page.ts'), ({ url }) => {
      const { pathname } = new URL(url)
      if (pathname === '/names') return Response.json([...all.keys()])
      const bytes = all.get(pathname.replace('/files/', ''))
      return bytes ? new Response(bytes as BodyInit) : new Response('', { status: 404 })
    })
  }, 120_000)

  test.skipIf(!browser.program)(
    "files have sharp's pixels, turned as EXIF says and without their profile",
    async () => {
      for (const [name, bytes] of files) {
        const image = await decodeImage(bytes)
        const posted = results[name]
        if (posted === undefined || typeof posted === 'string') throw new Error(`${name}: ${posted}`)
        expect([name, posted.width, posted.height]).toEqual([name, image.width, image.height])
        const most = Buffer.from(posted.data, 'base64').reduce(
          (largest, byte, i) => Math.max(largest, Math.abs(byte - (image.data[i] as number))),
          0,
        )
        if (most > tolerance(browserName, name)) throw new Error(`${name} differs by ${most}`)
      }
    },
  )

  test.skipIf(!browser.program)('files that are cut off or changed are refused', () => {
    for (const name of [...cut.map(name => `cut-${name}`), changed])
      expect(results[name]).toBe(
        `/files/${name} cannot be decoded: its decoder refuses it; the file may be cut off or damaged.`,
      )
  })
})
