// Dropout by element and drop path by sample, as multipliers of the rows of a matrix: what a product goes through on
// its way into the residual stream, and its gradient on the way back.
#pragma once

#include "../gemm/gemm.h"
#include "../runtime/lanes.h"
#include "../runtime/random.h"

namespace vitral::VITRAL_ISA {

class DropMultiplier {
 public:
  explicit DropMultiplier(const Drops& drops)
      : drops_(drops),
        element_(drops.dropoutProbability, drops.dropoutSeed),
        sample_(drops.dropPathProbability, drops.dropPathSeed) {}

  // to = from·keep(element)·keep(sample) (+ residual), for elements [first, first + n) of a matrix of `columns`
  // columns, all in one row; the pointers are the matrices' beginnings.
  VITRAL_INLINE void multiplyRow(int64_t first, int64_t n, int64_t columns, const float* from, const float* residual,
                                 float* to) const {
    const float ofSample =
        drops_.dropPathProbability > 0 ? sample_((uint32_t)(first / columns / drops_.rowsPerSample)) : 1.0f;
    const auto write = [&](auto ofElement) {
      for (int64_t i = first; i < first + n; i += lanes) {
        const int64_t count = first + n - i < lanes ? first + n - i : (int64_t)lanes;
        const Vf kept = loadSome(from + i, count) * ofElement(i) * ofSample;
        storeSome(to + i, residual ? loadSome(residual + i, count) + kept : kept, count);
      }
    };
    if (drops_.dropoutProbability > 0) write([&](int64_t i) { return element_(laneIndex() + (uint32_t)i); });
    else write([](int64_t) { return splat(1); });
  }

 private:
  const Drops& drops_;
  KeepMultiplier element_, sample_;
};

}  // namespace vitral::VITRAL_ISA
