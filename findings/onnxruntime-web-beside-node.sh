#!/usr/bin/env bash
# npm onnxruntime-node 1.30.0 and onnxruntime-web 1.30.0 in one process of Node: both are the same object of
# onnxruntime-common, so that whichever was loaded, InferenceSession of either runs the native library. A benchmark or a
# test that means to compare WebAssembly with native code compares native code with itself; executionProviders ['wasm']
# has to be given. ['cpu'] is whichever of them was loaded first.
# It shows in numbers, too: Cast of float32 out of range wraps around natively and saturates, or not, in WebAssembly:
#   -1.7, 300 and -200 to uint8 are 255 44 56 natively, 0 44 0 in WebAssembly; NaN to int64 is -2^63 natively, 0 there.
# A graph that ends in Cast without Clip so gives other pixels in the browser.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnxruntime-web@1.30.0 >/dev/null
cat > run.cjs <<'JS'
// The least of protobuf that a model of one Cast needs.
const varint = n => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)])
const number = (field, n) => [...varint(field << 3), ...varint(n)]
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content]
const text = (field, string) => bytes(field, [...Buffer.from(string)])
const value = (name, type) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, type), ...bytes(2, bytes(1, number(1, 4)))]))]
function castTo(type) {
  const attribute = [...text(1, 'to'), ...number(3, type), ...number(20, 2)]
  const node = [...text(1, 'x'), ...text(2, 'y'), ...text(4, 'Cast'), ...bytes(5, attribute)]
  const graph = [...bytes(1, node), ...text(2, 'graph'), ...bytes(11, value('x', 1)), ...bytes(12, value('y', type))]
  return Uint8Array.from([...number(1, 9), ...bytes(8, number(2, 20)), ...bytes(7, graph)])
}
const [uint8, int64] = [2, 7]
async function main() {
  const loaded = process.argv[2].split(' ')
  for (const name of loaded) global[name] = require(`onnxruntime-${name}`)
  for (const name of loaded) {
    for (const provider of [undefined, 'wasm', 'cpu']) {
      const { InferenceSession, Tensor } = global[name]
      const x = new Tensor('float32', Float32Array.of(-1.7, 300, -200, NaN), [4])
      const results = []
      for (const type of [uint8, int64]) {
        const options = provider ? { executionProviders: [provider] } : {}
        try {
          const session = await InferenceSession.create(castTo(type), options)
          results.push((await session.run({ x })).y.data.join(' '))
        } catch (error) {
          results.push(error.message)
        }
      }
      console.log(`loaded ${loaded.join(', ')}; ${name} by ${provider ?? 'default'}: ${[...new Set(results)].join(' | ')}`)
    }
  }
}
main()
JS
said=$(for order in node web 'node web' 'web node'; do node run.cjs "$order" 2>/dev/null; done); echo "$said"
[ "$said" = "loaded node; node by default: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded node; node by wasm: no available backend found. ERR: [wasm] backend not found.
loaded node; node by cpu: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded web; web by default: 0 44 0 0 | -1 300 -200 0
loaded web; web by wasm: 0 44 0 0 | -1 300 -200 0
loaded web; web by cpu: 0 44 0 0 | -1 300 -200 0
loaded node, web; node by default: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded node, web; node by wasm: 0 44 0 0 | -1 300 -200 0
loaded node, web; node by cpu: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded node, web; web by default: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded node, web; web by wasm: 0 44 0 0 | -1 300 -200 0
loaded node, web; web by cpu: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded web, node; web by default: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded web, node; web by wasm: 0 44 0 0 | -1 300 -200 0
loaded web, node; web by cpu: 0 44 0 0 | -1 300 -200 0
loaded web, node; node by default: 255 44 56 0 | -1 300 -200 -9223372036854775808
loaded web, node; node by wasm: 0 44 0 0 | -1 300 -200 0
loaded web, node; node by cpu: 0 44 0 0 | -1 300 -200 0" ]
echo "as stated"
