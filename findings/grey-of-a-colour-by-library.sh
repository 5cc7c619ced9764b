#!/usr/bin/env bash
# Four libraries turn red, green, blue (255 each) and mid-grey (128) into grey, and give three answers:
#   sharp 0.35.5, grayscale() and toColourspace('b-w')          127 220  76 128   (weighs light, not the stored values)
#   jimp 1.6.1 greyscale(), image-js 1.7.0 grey()                54 182  18 128   (weights of HDTV on the stored values)
#   @huggingface/transformers 4.3.2 RawImage.grayscale()         76 150  29 128   (weights of Pillow's convert('L'))
# Only the last is what torchvision and Pillow give; red is 51 levels brighter by sharp. Grey itself agrees everywhere, so
# a test with a grey picture passes. A model trained on grey images, or an augmentation that takes the colour away, is
# fed other pictures; image-js has Pillow's by grey({ algorithm: 'luma601' }), one level off for green.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sharp@0.35.5 jimp@1.6.1 image-js@1.7.0 @huggingface/transformers@4.3.2 >/dev/null
cat > run.mjs <<'JS'
import { RawImage } from '@huggingface/transformers'
import { decode } from 'image-js'
import { Jimp } from 'jimp'
import sharp from 'sharp'
const pixels = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128)
const png = await sharp(pixels, { raw: { width: 4, height: 1, channels: 3 } }).png().toBuffer()
const every4th = data => [...data].filter((_, i) => i % 4 === 0)
const pillow = [0, 3, 6, 9].map(i => (pixels[i] * 19595 + pixels[i + 1] * 38470 + pixels[i + 2] * 7471 + 0x8000) >> 16)
console.log("Pillow's arithmetic", ...pillow)
console.log('sharp grayscale', ...(await sharp(png).grayscale().raw().toBuffer()))
console.log('sharp b-w', ...(await sharp(png).toColourspace('b-w').raw().toBuffer()))
console.log('jimp', ...every4th((await Jimp.read(png)).greyscale().bitmap.data))
console.log('image-js', ...decode(png).grey().getRawImage().data)
console.log('image-js luma601', ...decode(png).grey({ algorithm: 'luma601' }).getRawImage().data)
console.log('transformers.js', ...new RawImage(new Uint8ClampedArray(pixels), 4, 1, 3).grayscale().data)
JS
said=$(node run.mjs 2>/dev/null); echo "$said"
[ "$said" = "Pillow's arithmetic 76 150 29 128
sharp grayscale 127 220 76 128
sharp b-w 127 220 76 128
jimp 54 182 18 128
image-js 54 182 18 128
image-js luma601 76 149 29 128
transformers.js 76 150 29 128" ]
echo "as stated"
