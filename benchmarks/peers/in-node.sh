#!/bin/sh
# Runs a contestant of src/contestants in Node: in-node.sh BUN CONTESTANT OPTIONS. Node takes this process' place, whose
# memory is measured.
set -e
bun=$1 contestant=$2
shift 2
folder=$(dirname "$0")
output=$folder/../node_modules/.cache/$contestant.mjs
"$bun" "$folder/bundle-for-node.ts" "$contestant" "$output" 1>&2
exec "${BENCH_NODE:-node}" "$output" "$@"
