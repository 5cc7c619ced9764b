#!/usr/bin/env bash
# npm @huggingface/transformers 4.3.2 in Node: a processor's `size` given as one number, the older form of the file
# (ViTFeatureExtractor, CLIPFeatureExtractor), is the longer side here. In Python it is both sides for ViT and the
# shorter side for CLIP and BiT. What a picture of 640 by 480 becomes with 224:
#   ViTImageProcessor: 168 by 224, not 224 by 224, so the position embeddings no longer fit;
#   CLIPImageProcessor with crop_size 224: 224 by 224 as it should be, but the picture fits inside and has bars of zeros
#     (black before normalization) above and below, where Python crops: the right shape, other content, no error;
#   size 256 with crop_size 224: an error of sharp ("bad extract area"), since one side is now smaller than the crop.
# The same error comes from the newer form where the crop is larger than the shorter side; Python pads with zeros there.
# A square picture shows none of it. Rewrite such a file with {"height":224,"width":224} or {"shortest_edge":224}.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @huggingface/transformers@4.3.2 >/dev/null
cat > run.mjs <<'JS'
import { CLIPImageProcessor, RawImage, ViTImageProcessor } from '@huggingface/transformers'
const grey = { do_rescale: true, rescale_factor: 1 / 255, do_normalize: false, do_resize: true, resample: 3 }
async function see(Processor, settings, width = 640, height = 480) {
  const picture = new RawImage(new Uint8ClampedArray(width * height * 3).fill(204), width, height, 3)
  const given = `${Processor.name.replace(/^_/, '')} ${JSON.stringify(settings)} of ${width}x${height}:`
  try {
    const { dims, data } = (await new Processor({ ...grey, ...settings })(picture)).pixel_values
    const columns = dims[3], middle = columns >> 1
    const zeros = Array.from({ length: dims[2] }, (_, row) => data[row * columns + middle]).filter(value => value === 0)
    console.log(given, dims.join('x'), `${zeros.length} rows of zeros`)
  } catch (error) {
    console.log(given, error.message)
  }
}
const crop = { do_center_crop: true, crop_size: 224 }
await see(ViTImageProcessor, { size: 224 })
await see(ViTImageProcessor, { size: { height: 224, width: 224 } })
await see(ViTImageProcessor, { size: 224 }, 500, 500)
await see(CLIPImageProcessor, { size: 224, ...crop })
await see(CLIPImageProcessor, { size: { shortest_edge: 224 }, ...crop })
await see(CLIPImageProcessor, { size: 256, ...crop })
await see(CLIPImageProcessor, { size: { shortest_edge: 200 }, ...crop })
JS
said=$(node run.mjs 2>/dev/null); echo "$said"
[ "$said" = 'ViTImageProcessor {"size":224} of 640x480: 1x3x168x224 0 rows of zeros
ViTImageProcessor {"size":{"height":224,"width":224}} of 640x480: 1x3x224x224 0 rows of zeros
ViTImageProcessor {"size":224} of 500x500: 1x3x224x224 0 rows of zeros
CLIPImageProcessor {"size":224,"do_center_crop":true,"crop_size":224} of 640x480: 1x3x224x224 56 rows of zeros
CLIPImageProcessor {"size":{"shortest_edge":224},"do_center_crop":true,"crop_size":224} of 640x480: 1x3x224x224 0 rows of zeros
CLIPImageProcessor {"size":256,"do_center_crop":true,"crop_size":224} of 640x480: extract_area: bad extract area
CLIPImageProcessor {"size":{"shortest_edge":200},"do_center_crop":true,"crop_size":224} of 640x480: extract_area: bad extract area' ]
echo "as stated"
