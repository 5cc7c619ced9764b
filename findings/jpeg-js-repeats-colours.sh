#!/usr/bin/env bash
# npm jpeg-js 0.4.4, and with it jimp 1.6.1: where a JPEG stores colour at half the size (4:2:0, what cameras, Pillow and
# sharp write by default), each colour value is repeated over four pixels. libjpeg-turbo (sharp, Pillow, browsers) blends
# neighbours. A red disc on green, 96 by 96, quality 95: up to 68 of 255 levels between them, hundreds of values along
# the edge off by more than 20. With 4:4:4 the two agree to 3 levels, so a test with such a file sees nothing.
# A JPEG of CMYK is read by another formula as well: (200, 50, 50) made CMYK is 200 37 30 by sharp, 215 16 24 by jpeg-js.
# A model's accuracy in an app that decodes by jpeg-js is measured on other edges than it was trained on.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sharp@0.35.5 jpeg-js@0.4.4 jimp@1.6.1 >/dev/null
cat > run.mjs <<'JS'
import { Jimp } from 'jimp'
import jpegJs from 'jpeg-js'
import sharp from 'sharp'
const side = 96
const disc = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3), inside = Math.hypot((pixel % side) - 48, Math.floor(pixel / side) - 48) < 30
  return (inside ? [210, 40, 40] : [40, 110, 60])[i % 3]
})
const colours = data => data.filter((_, i) => i % 4 !== 3)
for (const chromaSubsampling of ['4:4:4', '4:2:0']) {
  const jpeg = await sharp(disc, { raw: { width: side, height: side, channels: 3 } }).jpeg({ quality: 95, chromaSubsampling }).toBuffer()
  const expected = await sharp(jpeg).raw().toBuffer()
  const decoded = { 'jpeg-js': colours(jpegJs.decode(jpeg, { useTArray: true }).data), jimp: colours((await Jimp.read(jpeg)).bitmap.data) }
  for (const [name, values] of Object.entries(decoded)) {
    const off = [...expected].map((value, i) => Math.abs(value - values[i]))
    console.log(chromaSubsampling, name, 'at most', Math.max(...off), 'levels; over 20:', off.filter(levels => levels > 20).length)
  }
}
const background = { r: 200, g: 50, b: 50 }
const cmyk = await sharp({ create: { width: 8, height: 8, channels: 3, background } }).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
console.log('CMYK by sharp', ...(await sharp(cmyk).raw().toBuffer()).subarray(0, 3))
console.log('CMYK by jpeg-js', ...jpegJs.decode(cmyk, { useTArray: true }).data.subarray(0, 3))
JS
said=$(timeout 120 node run.mjs 2>/dev/null); echo "$said"
[ "$said" = "4:4:4 jpeg-js at most 3 levels; over 20: 0
4:4:4 jimp at most 3 levels; over 20: 0
4:2:0 jpeg-js at most 68 levels; over 20: 411
4:2:0 jimp at most 68 levels; over 20: 411
CMYK by sharp 200 37 30
CMYK by jpeg-js 215 16 24" ]
echo "as stated"
