#!/usr/bin/env bash
# npm sqlite-vec 0.1.9 in Bun 1.4.5's SQLite, a vec0 table with distance_metric=cosine: a row whose vector is all zeros, or
# holds a NaN, has distance NULL and is still among the nearest. With k = 3 two such rows come with the exact match and
# push out the second best (which rows go depends on their order in the table); with LIMIT they come before the exact
# match, since NULL sorts first. A picture whose embedding failed is stored without an error and shows up in searches.
#   vec_normalize of zeros is NaN, also without an error.
#   vec_to_json writes six decimals (1e-7 is 0.000000), so embeddings do not survive the way out and in by JSON.
#   vec_quantize_int8(..., 'unit') makes 1 to 126 and -1 to -128.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sqlite-vec@0.1.9 @oven/bun-linux-x64@1.4.5 >/dev/null
cat > run.mjs <<'JS'
import { Database } from 'bun:sqlite'
import { load } from 'sqlite-vec'
const db = new Database(':memory:')
load(db)
const vector = (...values) => new Uint8Array(Float32Array.from(values).buffer)
db.exec('create virtual table pictures using vec0(embedding float[2] distance_metric=cosine)')
const rows = { same: [1, 0], zeros: [0, 0], nan: [NaN, 0], across: [0, 1], opposite: [-1, 0], near: [2, 0.1] }
const names = Object.keys(rows)
names.forEach((name, i) => db.query('insert into pictures(rowid, embedding) values (?, ?)').run(i + 1, vector(...rows[name])))
const search = end =>
  db.query(`select rowid, distance from pictures where embedding match ? ${end}`).all(vector(1, 0))
    .map(({ rowid, distance }) => `${names[rowid - 1]} ${distance === null ? 'null' : distance.toFixed(3)}`).join(', ')
console.log('k = 3:', search('and k = 3'))
console.log('order by distance limit 3:', search('order by distance limit 3'))
const one = (sql, ...values) => db.query(`select ${sql} as answer`).get(vector(...values)).answer
console.log('normalized zeros:', [...new Float32Array(one('vec_normalize(?)', 0, 0).slice().buffer)].join(' '))
console.log('as JSON:', one('vec_to_json(?)', 0.1234567, 1e-7))
console.log('unit to int8:', [...new Int8Array(one("vec_quantize_int8(?, 'unit')", 1, -1, 0.5, 0).slice().buffer)].join(' '))
JS
said=$(node_modules/@oven/bun-linux-x64/bin/bun run.mjs); echo "$said"
[ "$said" = "k = 3: same 0.000, zeros null, nan null
order by distance limit 3: zeros null, nan null, same 0.000
normalized zeros: NaN NaN
as JSON: [0.123457,0.000000]
unit to int8: 126 -128 63 0" ]
echo "as stated"
