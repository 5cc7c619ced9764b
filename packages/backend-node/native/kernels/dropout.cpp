#include "dropout.h"

#include "drops.h"
#include "elementwise.h"

namespace vitral::VITRAL_ISA {

void dropRows(int64_t M, int64_t n, const float* x, const Drops& drops, float* y) {
  const DropMultiplier multiplier(drops);
  parallelFor(0, M, 1 + elementwiseGrain / (n + 1), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) multiplier.multiplyRow(row * n, n, n, x, nullptr, y);
  });
}

}  // namespace vitral::VITRAL_ISA
