#!/usr/bin/env bash
# npm @tensorflow/tfjs-backend-wasm 4.22.0 against tfjs-backend-cpu 4.22.0, the same operations on the same values:
#   relu6, clipByValue and maximum turn NaN into a number, which the cpu backend passes on: a diverged model looks well,
#     and clipping logits or gradients hides the NaN that a guard waits for (relu, sigmoid and max keep it on both);
#   sum and mean add one by one in float32: twenty million ones are 16777216, and the mean of four million 0.1 is 4 % off;
#   cast to bool goes by way of an integer: 0.5, 0.9 and NaN are false (true on cpu), so a soft mask becomes empty;
#   log1p(1e-10) is 0, and sigmoid is 0 from -89 on.
# And on both backends alike: maxPool passes over NaN, and argMax answers 0 if the first value is NaN, no matter the rest.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 >/dev/null
cat > run.cjs <<'JS'
const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
require('@tensorflow/tfjs-backend-wasm').setThreadsCount(1)
const operations = {
  'relu6(NaN)': () => tf.relu6([NaN]),
  'clipByValue(NaN, 0, 1)': () => tf.clipByValue([NaN], 0, 1),
  'maximum(NaN, 1) and (1, NaN)': () => tf.maximum([NaN, 1], [1, NaN]),
  'relu(NaN)': () => tf.relu([NaN]),
  'sum of 2e7 ones': () => tf.sum(tf.ones([2e7])),
  'mean of 4e6 times 0.1': () => tf.mean(tf.fill([4e6], 0.1)),
  'cast of 0.5 0.9 NaN 1 to bool': () => tf.cast(tf.tensor1d([0.5, 0.9, NaN, 1]), 'bool'),
  'log1p(1e-10)': () => tf.log1p([1e-10]),
  'sigmoid(-89)': () => tf.sigmoid([-89]),
  'maxPool(1 NaN 3)': () => tf.maxPool(tf.tensor3d([1, NaN, 3], [1, 3, 1]), [1, 3], 1, 'valid'),
  'argMax(NaN 1 3 2) and (1 NaN 3 2)': () => tf.argMax([[NaN, 1, 3, 2], [1, NaN, 3, 2]], 1),
}
const main = async () => {
  const said = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    for (const [name, operation] of Object.entries(operations)) {
      const values = [...(await tf.tidy(operation).data())].map(value => Number(Number(value).toPrecision(4)))
      ;(said[name] ??= []).push(`${backend} ${values.join(' ')}`)
    }
  }
  for (const [name, both] of Object.entries(said)) console.log(`${name}: ${both.join(', ')}`)
}
main()
JS
said=$(node run.cjs 2>/dev/null | grep ': cpu'); echo "$said"
[ "$said" = "relu6(NaN): cpu NaN, wasm 0
clipByValue(NaN, 0, 1): cpu NaN, wasm 0
maximum(NaN, 1) and (1, NaN): cpu NaN NaN, wasm NaN 1
relu(NaN): cpu NaN, wasm NaN
sum of 2e7 ones: cpu 20000000, wasm 16780000
mean of 4e6 times 0.1: cpu 0.1, wasm 0.09613
cast of 0.5 0.9 NaN 1 to bool: cpu 1 1 1 1, wasm 0 0 0 1
log1p(1e-10): cpu 1e-10, wasm 0
sigmoid(-89): cpu 2.227e-39, wasm 0
maxPool(1 NaN 3): cpu 3, wasm 3
argMax(NaN 1 3 2) and (1 NaN 3 2): cpu 0 2, wasm 0 2" ]
echo "as stated"
