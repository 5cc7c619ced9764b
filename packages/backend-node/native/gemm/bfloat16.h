// bfloat16: as a float32 whose lower half is zero, where there is no instruction that multiplies it, and as 16 bits in
// memory.
#pragma once

#include <cstring>

#include "../runtime/lanes.h"

namespace vitral::VITRAL_ISA {

// To the nearest, ties to even, as PyTorch does; NaN stays NaN.
VITRAL_INLINE Vf nearestBfloat16(Vf x) {
  const Vu bits = (Vu)x;
  const Vf even = (Vf)((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
  return select(x == x, even, (Vf)((bits | 0x400000) & 0xffff0000));
}

typedef uint16_t Vh __attribute__((vector_size(2 * lanes)));

VITRAL_INLINE Vf loadBfloat16(const uint16_t* from) {
  Vh words;
  std::memcpy(&words, from, sizeof words);
  return (Vf)(__builtin_convertvector(words, Vu) << 16);
}
VITRAL_INLINE void storeBfloat16(uint16_t* to, Vf x) {
  const Vh words = __builtin_convertvector((Vu)nearestBfloat16(x) >> 16, Vh);
  std::memcpy(to, &words, sizeof words);
}
// The same of the first `count` lanes.
VITRAL_INLINE Vf loadSomeBfloat16(const uint16_t* from, int64_t count) {
  if (count == lanes) return loadBfloat16(from);
  uint16_t words[lanes] = {};
  std::memcpy(words, from, count * sizeof *words);
  return loadBfloat16(words);
}
VITRAL_INLINE void storeSomeBfloat16(uint16_t* to, Vf x, int64_t count) {
  if (count == lanes) return storeBfloat16(to, x);
  uint16_t words[lanes];
  storeBfloat16(words, x);
  std::memcpy(to, words, count * sizeof *words);
}

inline void expandBfloat16(int64_t count, const uint16_t* from, float* to) {
  eachOfRow(count, [&](int64_t i, int64_t some) { storeSome(to + i, loadSomeBfloat16(from + i, some), some); });
}
inline void roundToBfloat16(int64_t count, const float* from, uint16_t* to) {
  eachOfRow(count, [&](int64_t i, int64_t some) { storeSomeBfloat16(to + i, loadSome(from + i, some), some); });
}

}  // namespace vitral::VITRAL_ISA
