// Four bytes as four lanes of a vector: a pixel of RGB and the byte after it.
#pragma once

#include "../runtime/simd.h"

namespace vitral::VITRAL_ISA {

typedef int32_t Vi4 __attribute__((vector_size(16)));

VITRAL_INLINE Vi4 loadFourBytes(const uint8_t* from) {
#if defined(__AVX2__)
  int32_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return (Vi4)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
#else
  return Vi4{from[0], from[1], from[2], from[3]};
#endif
}

// Cut to bytes.
VITRAL_INLINE void storeFourBytes(uint8_t* to, Vi4 x) {
#if defined(__AVX2__)
  const __m128i words = _mm_packs_epi32((__m128i)x, (__m128i)x);
  const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  std::memcpy(to, &bytes, sizeof bytes);
#else
  for (int lane = 0; lane < 4; lane++) to[lane] = (uint8_t)(x[lane] < 0 ? 0 : x[lane] > 255 ? 255 : x[lane]);
#endif
}

}  // namespace vitral::VITRAL_ISA
