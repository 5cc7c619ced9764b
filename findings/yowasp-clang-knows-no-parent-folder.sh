#!/usr/bin/env bash
# @yowasp/clang 22.0.0-git20542-10, Clang as WebAssembly with a file system of JavaScript objects:
#   an include that goes up (#include "../b/b.h", of a file in a/)   fatal error: file not found
#   the same file by its path from the top (#include "b/b.h" and -I.)  found
#   -I a/.. or -I b                                                   the first finds nothing, the second the file
# No path that has `..` in it is resolved, so a source tree as most are compiles only after its includes are rewritten.
# Every call to runClang also instantiates the compiler anew, which takes seconds: files are best compiled in a few processes.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @yowasp/clang@22.0.0-git20542-10 >/dev/null
cat > run.mjs <<'JS'
import { runClang } from '@yowasp/clang'
const tried = async (name, include, ...more) => {
  let errors = ''
  const stderr = bytes => { if (bytes) errors += new TextDecoder().decode(bytes) }
  const files = { a: { 'a.cpp': `#include "${include}"\nint f() { return g(); }` }, b: { 'b.h': 'inline int g() { return 1; }' } }
  const args = ['clang++', '--target=wasm32-wasip1', ...more, '-c', 'a/a.cpp', '-o', 'out.o']
  const made = await runClang(args, files, { stderr, fetchProgress() {} }).then(out => out['out.o']?.length > 0, () => false)
  console.log(`${name}: ${made ? 'compiled' : (/fatal error: (.*)/.exec(errors)?.[1] ?? 'failed')}`)
}
await tried('up', '../b/b.h')
await tried('from the top', 'b/b.h', '-I.')
await tried('folder that goes up', 'b/b.h', '-Ia/..')
await tried('folder', 'b.h', '-Ib')
JS
said=$(node run.mjs 2>/dev/null | grep -v fetched); echo "$said"
[ "$said" = "up: '../b/b.h' file not found
from the top: compiled
folder that goes up: 'b/b.h' file not found
folder: compiled" ]
echo "as stated"
