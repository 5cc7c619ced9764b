#include "unscale.h"

#include <cmath>

#include "blocks.h"

namespace vitral::VITRAL_ISA {

bool unscaleGradient(int64_t n, const float* x, double scale, float* y) {
  int finite = 1;
  eachBlock(n, [&](int64_t, int64_t from, int64_t to) {
    const float factor = (float)scale;
    int ok = 1;
    for (int64_t i = from; i < to; i++) {
      ok &= std::fabs(x[i]) <= 3.4028234663852886e38f;  // false for infinities and for NaN
      y[i] = x[i] * factor;
    }
    if (!ok) __atomic_store_n(&finite, 0, __ATOMIC_RELAXED);
  });
  return finite != 0;
}

}  // namespace vitral::VITRAL_ISA
