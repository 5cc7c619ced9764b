#!/usr/bin/env bash
# npm sharp 0.35.5 (libvips 8.18.7): raw input may be any typed array, and sharp takes its depth from the array. What is
# not 8 bits wide it reads on the scale of 16 bits: Float32Array, Float64Array, Int32Array and Uint32Array as well, so
# white is 65535 and neither 1 nor 255. An attention map or heat map of floats, in 0 to 1 or in 0 to 255, is written as a
# PNG or JPEG that is black throughout, without an error; stats() of the same input is right, so a check does not see it.
# Floats of 0 to 65535 come out as expected. Int8Array is read as 8 bits, and -1 becomes 0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sharp@0.35.5 >/dev/null
cat > run.mjs <<'JS'
import sharp from 'sharp'
const inputs = [
  Uint8Array.of(0, 64, 128, 255),
  Float32Array.of(0, 0.25, 0.5, 1),
  Float32Array.of(0, 64, 128, 255),
  Int32Array.of(0, 64, 128, 255),
  Float32Array.of(0, 16384, 32768, 65535),
  Int8Array.of(0, 64, 127, -1),
]
for (const pixels of inputs) {
  const open = () => sharp(pixels, { raw: { width: 2, height: 2, channels: 1 } })
  const written = await sharp(await open().png().toBuffer()).toColourspace('b-w').raw().toBuffer()
  const { min, max } = (await open().stats()).channels[0]
  console.log(`${pixels.constructor.name} ${pixels.join(' ')} -> PNG ${written.join(' ')}; stats ${min} to ${max}`)
}
JS
said=$(node run.mjs); echo "$said"
[ "$said" = "Uint8Array 0 64 128 255 -> PNG 0 64 128 255; stats 0 to 255
Float32Array 0 0.25 0.5 1 -> PNG 0 0 0 0; stats 0 to 1
Float32Array 0 64 128 255 -> PNG 0 0 0 0; stats 0 to 255
Int32Array 0 64 128 255 -> PNG 0 0 0 0; stats 0 to 255
Float32Array 0 16384 32768 65535 -> PNG 0 64 128 255; stats 0 to 65535
Int8Array 0 64 127 -1 -> PNG 0 64 127 0; stats -1 to 127" ]
echo "as stated"
