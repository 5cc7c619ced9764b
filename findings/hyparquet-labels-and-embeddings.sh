#!/usr/bin/env bash
# npm hyparquet 1.33.0 and hyparquet-writer 0.17.0, a table of labels, images and embeddings:
#   a filter { label: 3 } on an INT64 column, which is what Python's datasets write for class labels, finds no row, since
#     it compares a number with a BigInt strictly; $in neither. { label: { $lt: 4 } } finds it, and so does { label: 3n }.
#     $ne: 3 and $nin: [3] therefore keep the very rows that they should leave out.
#   an embedding given as Float32Array is written as JSON text, and read back as an object with keys "0", "1", ...;
#     an array of numbers is written as a list. A struct { bytes, path } becomes JSON too, its bytes a list of numbers.
#   bytes of an image in a BYTE_ARRAY column, as in a data set with images, come back as a string in which each byte that
#     is not UTF-8 is lost, unless the reader is given utf8: false.
# None of them is an error, so what is missing shows first in the count of examples or in the decoder.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts hyparquet@1.33.0 hyparquet-writer@0.17.0 >/dev/null
cat > run.mjs <<'JS'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
const labels = parquetWriteBuffer({ columnData: [{ name: 'label', data: [3n, 1n, 3n, 2n] }] })
const filters = [{ label: 3 }, { label: { $in: [3] } }, { label: { $lt: 4 } }, { label: 3n }, { label: { $ne: 3 } }, { label: { $nin: [3] } }]
const text = value => JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner))
for (const filter of filters) {
  const rows = await parquetReadObjects({ file: labels, filter })
  console.log(text(filter), '->', rows.map(row => String(row.label)).join(' ') || 'no rows')
}
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47)
const columns = { floats: Float32Array.of(1, 2), numbers: [1, 2], image: { bytes: png, path: 'a.png' } }
const columnData = Object.entries(columns).map(([name, value]) => ({ name, data: [value] }))
console.log(text((await parquetReadObjects({ file: parquetWriteBuffer({ columnData }) }))[0]))
const images = parquetWriteBuffer({ columnData: [{ name: 'image', data: [png], type: 'BYTE_ARRAY' }] })
for (const options of [{}, { utf8: false }]) {
  const { image } = (await parquetReadObjects({ file: images, ...options }))[0]
  console.log(text(options), typeof image === 'string' ? `string, code of its first letter ${image.charCodeAt(0)}` : image.join(' '))
}
JS
said=$(node run.mjs); echo "$said"
[ "$said" = '{"label":3} -> no rows
{"label":{"$in":[3]}} -> no rows
{"label":{"$lt":4}} -> 3 1 3 2
{"label":"3n"} -> 3 3
{"label":{"$ne":3}} -> 3 1 3 2
{"label":{"$nin":[3]}} -> 3 1 3 2
{"floats":{"0":1,"1":2},"numbers":[1,2],"image":{"bytes":[137,80,78,71],"path":"a.png"}}
{} string, code of its first letter 65533
{"utf8":false} 137 80 78 71' ]
echo "as stated"
