#!/usr/bin/env bash
# Bun 1.4.5's bundler and @tensorflow/tfjs-core 4.22.0 (whose package.json lists the modules with side effects): the bundle
# builds without a warning and does not run.
#   bun build --target=browser, --target=bun   neither the platforms nor the op handler are in the bundle: the first tensor
#                                               is "Cannot read properties of undefined (reading 'isTypedArray')"
#   bun build --target=node                     two registries of backends: "No backend found in registry."
#   esbuild 0.28.0, and the same file unbundled in Bun: 1, as it should be
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 esbuild@0.28.0 bun@1.4.5 >/dev/null 2>&1
cat > named.mjs <<'JS'
import { tensor1d } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
try { console.log(tensor1d([1]).clone().dataSync()[0]) } catch (error) { console.log(error.message) }
JS
bun=node_modules/.bin/bun
check() { # NAME EXPECTED PROGRAM...
  local name=$1 expected=$2 said; shift 2
  said=$("$@" 2>/dev/null | tail -1); echo "$name: $said"; [ "$said" = "$expected" ]
}
for target in browser bun node; do
  "$bun" build named.mjs --target=$target --outfile=$target.mjs >/dev/null
done
node_modules/.bin/esbuild named.mjs --bundle --platform=node --main-fields=module,main --log-level=error --outfile=esbuild.cjs
lost="Cannot read properties of undefined (reading 'isTypedArray')"
check 'browser' "$lost" node browser.mjs
check 'bun' "$lost" node bun.mjs
check 'node' 'No backend found in registry.' node node.mjs
check 'esbuild' 1 node esbuild.cjs
check 'unbundled' 1 "$bun" named.mjs
echo "as stated"
