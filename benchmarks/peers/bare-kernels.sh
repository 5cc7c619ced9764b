#!/bin/sh
# Vitral's kernels in a bare C++ loop (packages/backend-node/native/test/vit.cpp), built when their sources have changed.
set -e
native=$(cd "$(dirname "$0")/../../packages/backend-node/native" && pwd)
out=$native/../build/core
if [ ! -x "$out/vit" ] || [ -n "$(find "$native" -newer "$out/vit" -type f)" ]; then
  if ! sh "$native/test/build.sh" "$out" >/dev/null 2>"$out.log"; then
    echo '{"unavailable": "the kernels could not be built for a program of their own; a C++ compiler is needed"}'
    exit
  fi
fi
exec "$out/vit" "$@"
