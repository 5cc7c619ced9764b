#!/bin/sh
# Builds the core's own test and benchmark programs, apart from the addon: build.sh FOLDER [compiler flag…]
#   native/test/build.sh /tmp/core && /tmp/core/test && /tmp/core/bench avx2 "1576 x 768 x 768"
#   native/test/build.sh /tmp/core -g -O1 -fsanitize=address,undefined && /tmp/core/test
# The flags of the instruction sets are those of src/build-native.ts.
set -e
out=$1
shift
cd "$(dirname "$0")/.."
mkdir -p "$out"
flags="-Wall -Wextra -O3 -std=c++20 -ffp-contract=fast -fno-math-errno -fno-trapping-math $*"
avx512='-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma'
compile() { # object, source, flags…
  object=$out/$1.o from=$2
  shift 2
  echo "$from" "$@"
  ${CXX:-g++} $flags "$@" -c "$from" -o "$object"
}
# As in src/build-native.ts, a source in the namespace of an instruction set is compiled once for each instruction set, any other once.
for source in $(grep -lw vitral::VITRAL_ISA gemm/*.cpp kernels/*.cpp images/*.cpp test/probe.cpp); do
  name=$(echo "${source%.cpp}" | tr / -)
  case $source in images/*) exact=-ffp-contract=off ;; *) exact= ;; esac
  compile "portable-$name" "$source" -DVITRAL_ISA=portable $exact
  [ "$(uname -m)" = x86_64 ] || continue
  compile "avx2-$name" "$source" -DVITRAL_ISA=avx2 -mavx2 -mfma $exact
  compile "avx512-$name" "$source" -DVITRAL_ISA=avx512 $avx512 $exact
  compile "avx512bf16-$name" "$source" -DVITRAL_ISA=avx512bf16 $avx512 -mavx512bf16 $exact
  compile "amx-$name" "$source" -DVITRAL_ISA=amx $avx512 -mamx-tile -mamx-bf16 $exact
done
for source in $(grep -Lw vitral::VITRAL_ISA kernels/*.cpp) runtime/*.cpp; do
  compile "base-$(basename "$source" .cpp)" "$source"
done
for program in test bench vit; do
  compile "$program" "test/$program.cpp"
  ${CXX:-g++} $flags "$out"/*-*.o "$out/$program.o" -o "$out/$program" -pthread
done
