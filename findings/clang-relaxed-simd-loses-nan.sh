#!/usr/bin/env bash
# Clang 22.1 for WebAssembly (@yowasp/clang 22.0.0-git20542-10): x < limit ? limit : x on a vector of floats, without any
# flag that allows inexact floating point.
#   -msimd128                  f32x4.pmax, and NaN stays NaN, as the comparison says
#   -msimd128 -mrelaxed-simd   f32x4.relaxed_max, and NaN becomes the limit (x86, in Node 22 and 24 and in Bun 1.4.5)
# The flag that only makes instructions available changes results: a gradient that is NaN looks like a number after it was
# limited. v128.bitselect of the comparison (__builtin_wasm_bitselect) keeps NaN.
set -euo pipefail
[ "$(uname -m)" = x86_64 ] || { echo "what relaxed_max gives is seen on x86 alone"; exit 3; }
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund @yowasp/clang@22.0.0-git20542-10 node@24.21.0 bun@1.4.5 >/dev/null 2>&1
cat > compile.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { runClang } from '@yowasp/clang'
const source = select => `
  typedef float Floats __attribute__((vector_size(16)));
  typedef int Ints __attribute__((vector_size(16)));
  extern "C" __attribute__((export_name("atLeast"))) float atLeast(float value, float limit) {
    Floats x = value - Floats{}, low = limit - Floats{};
    return (${select})[0];
  }`
const plain = 'x < low ? low : x'
const bitselect = '(Floats)__builtin_wasm_bitselect((Ints)low, (Ints)x, x < low)'
const compile = async (name, select, flags) => {
  const args = ['clang++', '--target=wasm32', '-O3', '-msimd128', ...flags, '-nostdlib', '-Wl,--no-entry', 'a.cpp', '-o', 'out']
  const { out } = await runClang(args, { 'a.cpp': source(select) }, { fetchProgress() {} })
  writeFileSync(`${name}.wasm`, out)
}
await compile('simd', plain, [])
await compile('relaxed', plain, ['-mrelaxed-simd'])
await compile('relaxed-bitselect', bitselect, ['-mrelaxed-simd'])
JS
cat > run.cjs <<'JS'
const { readFileSync } = require('node:fs')
for (const name of ['simd', 'relaxed', 'relaxed-bitselect']) {
  const { atLeast } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(`${name}.wasm`))).exports
  console.log(name, atLeast(NaN, -0.5), atLeast(-1, -0.5), atLeast(1, -0.5))
}
JS
node compile.mjs >/dev/null 2>&1
expected="simd NaN -0.5 1
relaxed -0.5 -0.5 1
relaxed-bitselect NaN -0.5 1"
for engine in node_modules/node/bin/node node_modules/.bin/bun; do
  said=$("$engine" run.cjs); echo "$("$engine" --version): $said"
  [ "$said" = "$expected" ]
done
echo "as stated"
