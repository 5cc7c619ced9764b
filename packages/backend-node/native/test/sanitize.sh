#!/bin/sh
# Runs the kernels under GCC's sanitizers, for every instruction set of this machine:
#   sanitize.sh address   the conformance suite in Node, on an addon that checks addresses and undefined behaviour
#   sanitize.sh thread    the thread pool and the performance core, in the programs of pool.cpp and test.cpp
#   sanitize.sh ranks     what processes do together, in the program of collectives.cpp, with both kinds of checks
# Builds are kept in node_modules/.cache/sanitize. The address run gives every tensor memory of its own, of its size to
# the byte and filled with NaN; tile registers load and store unseen. `bun run build` comes first: the JavaScript is dist/.
set -e
package=$(cd "$(dirname "$0")/../.." && pwd)
cache=$package/node_modules/.cache/sanitize

address() {
  copy=$cache/address # inside the package, where Node finds what it imports
  mkdir -p "$copy"
  rm -rf "$copy/dist" "$copy/native"
  cp -r "$package/package.json" "$package/dist" "$package/native" "$copy"
  cp "$package/native/test/separate-buffers.js" "$copy/dist/native/buffer-pool.js"
  sanitizers='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined'
  CXX=g++ CXXFLAGS="$sanitizers -DVITRAL_LANE_BY_LANE" node "$copy/dist/build-native.js" --require
  for set in portable avx2 avx512 avx512bf16 amx; do
    echo "address, undefined: $set"
    # Node frees nothing of its own as it ends, so leaks are looked for elsewhere.
    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 VITRAL_ISA=$set \
      LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" \
      node "$package/native/test/sanitize.js" "$copy"
  done
}

thread() {
  cd "$package/native"
  CXX=g++ test/build.sh "$cache/thread" -g -O1 -fsanitize=thread >/dev/null
  g++ -g -O1 -fsanitize=thread -std=c++20 runtime/*.cpp test/pool.cpp -o "$cache/thread/pool" -pthread
  export TSAN_OPTIONS=halt_on_error=1
  for check in covers exceptions callers share progress idle; do # it does not follow a fork
    echo "thread: pool $check"
    "$cache/thread/pool" $check
  done
  echo "thread: gemm and attention"
  "$cache/thread/test"
}

ranks() {
  mkdir -p "$cache/ranks"
  cd "$package/native"
  for sanitizers in address,undefined thread; do
    echo "$sanitizers: collectives"
    g++ -g -O1 -fsanitize=$sanitizers -fno-sanitize-recover=all -std=c++20 collectives/*.cpp test/collectives.cpp \
      -o "$cache/ranks/$sanitizers" -pthread
    TSAN_OPTIONS=halt_on_error=1 "$cache/ranks/$sanitizers"
  done
}

[ $# -gt 0 ] || set -- address thread ranks
for kind; do $kind; done
