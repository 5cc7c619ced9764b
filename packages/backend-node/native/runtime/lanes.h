// Vectors at the end of a row, where fewer than `lanes` values are left.
#pragma once

#include "simd.h"

namespace vitral::VITRAL_ISA {

VITRAL_INLINE Vf loadSome(const float* from, int64_t count) {
  return count == lanes ? load(from) : loadPartial(from, count);
}
VITRAL_INLINE void storeSome(float* to, Vf x, int64_t count) {
  count == lanes ? store(to, x) : storePartial(to, x, count);
}

// body(offset, count) for each vector of a row of n values, the last one perhaps shorter.
template <class Body>
VITRAL_INLINE void eachOfRow(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, (int64_t)lanes);
  if (i < n) body(i, n - i);
}

}  // namespace vitral::VITRAL_ISA
