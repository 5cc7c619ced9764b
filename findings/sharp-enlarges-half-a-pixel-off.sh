#!/usr/bin/env bash
# npm sharp 0.35.5 (libvips 8.18.7): resize to a larger size moves the picture by half a pixel of the result to the right
# (and down), at every factor, with kernel linear and with the smooth ones. A ramp of 8 pixels made 16 wide is
#   0 0 16 32 48 ... by sharp, and 0 8 24 40 56 ... where pixels are areas (Pillow, torchvision, OpenCV).
# So a mirrored picture, enlarged, is not the mirror of the enlarged picture: it is off by one whole pixel, which a
# horizontal flip before the resize, or test-time augmentation, runs into. When it shrinks, the mirror fits.
# And the smooth kernels all enlarge alike: mitchell, lanczos2, lanczos3, mks2013 and mks2021 give cubic's pixels.
# CIFAR's or MNIST's pictures made 224 wide by sharp are therefore not those a checkpoint's processor would make.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sharp@0.35.5 >/dev/null
cat > run.mjs <<'JS'
import sharp from 'sharp'
const height = 4
/** The first row of a picture whose rows are all `row`, resized to `width`. */
async function resized(row, width, kernel) {
  const pixels = Uint8Array.from({ length: row.length * height }, (_, i) => row[i % row.length])
  const size = { width, height: Math.round((height * width) / row.length), fit: 'fill', kernel }
  const picture = sharp(pixels, { raw: { width: row.length, height, channels: 1 } }).resize(size)
  return [...(await picture.toColourspace('b-w').raw().toBuffer()).subarray(0, width)]
}
const ramp = (width, slope) => Array.from({ length: width }, (_, i) => i * slope)
const areas = (from, to, slope) => Array.from({ length: to }, (_, i) => Math.max(0, ((i + 0.5) * from) / to - 0.5) * slope)
/** How far the middle of an enlarged ramp lies to the right of where pixels as areas lie, in pixels of the result. */
async function shift(from, to) {
  const slope = 200 / from, seen = await resized(ramp(from, slope), to, 'linear'), expected = areas(from, to, slope)
  const middle = seen.map((value, i) => ((expected[i] - value) / slope) * (to / from)).slice(to * 0.3, to * 0.7)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}
console.log('sharp 8 to 16:', (await resized(ramp(8, 32), 16, 'linear')).slice(0, 8).join(' '))
console.log('areas 8 to 16:', areas(8, 16, 32).slice(0, 8).join(' '))
console.log('shift:', (await Promise.all([10, 12, 16, 20, 28, 56, 224].map(async to => `${to} ${(await shift(8, to)).toFixed(1)}`))).join(', '))
const row = [0, 255, 30, 90, 10, 200, 40, 70]
const there = await resized(row, 32, 'cubic'), mirrored = (await resized(row.toReversed(), 32, 'cubic')).reverse()
console.log('mirrored, 8 to 32:', Math.max(...there.map((value, i) => Math.abs(value - mirrored[i]))), 'levels off; moved by one pixel:',
  Math.max(...there.slice(2, -1).map((value, i) => Math.abs(value - mirrored[i + 1]))))
const smaller = await resized(there, 12, 'cubic'), mirroredSmaller = (await resized(there.toReversed(), 12, 'cubic')).reverse()
console.log('mirrored, 32 to 12:', Math.max(...smaller.map((value, i) => Math.abs(value - mirroredSmaller[i]))), 'levels off')
for (const kernel of ['mitchell', 'lanczos2', 'lanczos3', 'mks2013', 'mks2021'])
  console.log(kernel, String(await resized(row, 32, kernel)) === String(there) ? 'as cubic' : 'otherwise')
JS
said=$(node run.mjs); echo "$said"
[ "$said" = "sharp 8 to 16: 0 0 16 32 48 64 80 96
areas 8 to 16: 0 8 24 40 56 72 88 104
shift: 10 0.5, 12 0.5, 16 0.5, 20 0.5, 28 0.5, 56 0.5, 224 0.5
mirrored, 8 to 32: 85 levels off; moved by one pixel: 0
mirrored, 32 to 12: 0 levels off
mitchell as cubic
lanczos2 as cubic
lanczos3 as cubic
mks2013 as cubic
mks2021 as cubic" ]
echo "as stated"
