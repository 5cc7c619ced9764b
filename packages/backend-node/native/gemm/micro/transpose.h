// The transpose of 16 × 16 words in registers, for packing on AVX-512.
#pragma once

#include "../../runtime/simd.h"

namespace vitral::VITRAL_ISA {

// row[i] lane j ↔ row[j] lane i.
VITRAL_INLINE void transpose16(__m512i (&row)[16]) {
  __m512i t[16];
  VITRAL_UNROLL
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_epi32(everyLane, row[i], row[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_epi32(everyLane, row[i], row[i + 1]);
  }
  VITRAL_UNROLL
  for (int i = 0; i < 16; i += 4)
    for (int half = 0; half < 2; half++) {
      row[i + 2 * half] = _mm512_maskz_unpacklo_epi64((__mmask8)everyLane, t[i + half], t[i + 2 + half]);
      row[i + 2 * half + 1] = _mm512_maskz_unpackhi_epi64((__mmask8)everyLane, t[i + half], t[i + 2 + half]);
    }
  VITRAL_UNROLL
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < 16; i += 8) {
      t[i + j] = _mm512_maskz_shuffle_i32x4(everyLane, row[i + j], row[i + 4 + j], 0x88);
      t[i + 4 + j] = _mm512_maskz_shuffle_i32x4(everyLane, row[i + j], row[i + 4 + j], 0xdd);
    }
  VITRAL_UNROLL
  for (int j = 0; j < 8; j++) {
    row[j] = _mm512_maskz_shuffle_i32x4(everyLane, t[j], t[8 + j], 0x88);
    row[8 + j] = _mm512_maskz_shuffle_i32x4(everyLane, t[j], t[8 + j], 0xdd);
  }
}

}  // namespace vitral::VITRAL_ISA
