// Element functions of simd.h and random.h behind plain pointers, for the test program.
#include "../kernels/gelu-polynomial.h"
#include "../runtime/random.h"

namespace vitral::VITRAL_ISA {

void applyExp(int64_t count, const float* x, float* y) {
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t rest = count - i < lanes ? count - i : lanes;
    storePartial(y + i, exp(loadPartial(x + i, rest)), rest);
  }
}

void applyGelu(int64_t count, const float* x, float* y, float* slope) {
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t rest = count - i < lanes ? count - i : lanes;
    storePartial(y + i, gelu(loadPartial(x + i, rest)), rest);
    storePartial(slope + i, geluGradient(loadPartial(x + i, rest)), rest);
  }
}

void applyKeep(double probability, uint32_t seed, int64_t count, float* y) {
  const KeepMultiplier keep(probability, seed);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(y + i, keep(splatBits((uint32_t)i) + laneIndex()));
  for (; i < count; i++) y[i] = keep((uint32_t)i);
}

// Largest disagreement of the reductions with a plain loop over the lanes, for a few vectors.
float reductionError() {
  float worst = 0;
  for (int round = 0; round < 8; round++) {
    float values[lanes], sum = 0, top = -1e30f;
    for (int lane = 0; lane < lanes; lane++) {
      values[lane] = (float)((lane * 7 + round * 5) % 13) - 6;
      sum += values[lane];
      top = values[lane] > top ? values[lane] : top;
    }
    worst = std::fmax(worst, std::fabs(reduceAdd(load(values)) - sum));
    worst = std::fmax(worst, std::fabs(reduceMax(load(values)) - top));
  }
  return worst;
}

}  // namespace vitral::VITRAL_ISA
