// Rounding to bfloat16 where there is no instruction that multiplies it: a float32 whose lower half is zero.
#pragma once

#include "../simd.h"

namespace vitral::VITRAL_ISA {

// To the nearest, ties to even, as PyTorch does; NaN stays NaN.
VITRAL_INLINE Vf nearestBfloat16(Vf x) {
  const Vu bits = (Vu)x;
  const Vf even = (Vf)((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
  return select(x == x, even, (Vf)((bits | 0x400000) & 0xffff0000));
}

}  // namespace vitral::VITRAL_ISA
