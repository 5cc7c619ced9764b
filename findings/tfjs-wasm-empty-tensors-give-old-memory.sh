#!/usr/bin/env bash
# npm @tensorflow/tfjs-backend-wasm 4.22.0: a result over no elements at all is never written. sum, mean, prod and max
# along an axis of length 0, and a matMul whose inner dimension is 0, return what an earlier tensor left at that place in
# the module's memory, here its sevens; matMul prints a line of XNNPACK's on the error stream, the others say nothing.
# The cpu backend gives 0 (1 for prod, NaN for max), as PyTorch does for sum, prod and matMul. Who sums over the examples
# that a class does not have in a batch gets a plausible number that depends on what ran before.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 >/dev/null
cat > run.cjs <<'JS'
const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
require('@tensorflow/tfjs-backend-wasm').setThreadsCount(1)
const operations = {
  sum: () => tf.sum(tf.zeros([64, 0]), 1),
  mean: () => tf.mean(tf.zeros([64, 0]), 1),
  prod: () => tf.prod(tf.zeros([64, 0]), 1),
  max: () => tf.max(tf.zeros([64, 0]), 1),
  matMul: () => tf.matMul(tf.zeros([8, 0]), tf.zeros([0, 8])),
}
const main = async () => {
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    tf.tidy(() => void tf.sum(tf.ones([4])).dataSync())
    for (const [name, operation] of Object.entries(operations)) {
      tf.tidy(() => void Array.from({ length: 8 }, () => tf.fill([64], 7).dataSync()))
      const values = [...(await tf.tidy(operation).data())]
      // The allocator's own marks are in the first places of a block; the last ones are the old tensor's.
      console.log(backend, name, 'ends in', values.slice(-4).join(' '))
    }
  }
}
main()
JS
said=$(node run.cjs 2>/dev/null | grep -E '^(cpu|wasm) '); echo "$said"
[ "$said" = "cpu sum ends in 0 0 0 0
cpu mean ends in 0 0 0 0
cpu prod ends in 1 1 1 1
cpu max ends in NaN NaN NaN NaN
cpu matMul ends in 0 0 0 0
wasm sum ends in 7 7 7 7
wasm mean ends in 7 7 7 7
wasm prod ends in 7 7 7 7
wasm max ends in 7 7 7 7
wasm matMul ends in 7 7 7 7" ]
echo "as stated"
