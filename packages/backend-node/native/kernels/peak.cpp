#include "peak.h"

#include "../runtime/simd.h"

namespace vitral::VITRAL_ISA {

double spinFma(int64_t rounds) {
#if defined(__AVX512F__)
  constexpr int chains = 24;
#else
  constexpr int chains = 12;
#endif
  Vf sum[chains] = {};
  Vf factor = splat(1.0f), term = splat(1e-9f);
  asm volatile("" : "+m"(factor), "+m"(term));  // unknown to the optimiser
  const Vf a = factor, b = term;
  for (int64_t round = 0; round < rounds; round++) {
    VITRAL_UNROLL
    for (int i = 0; i < chains; i++) sum[i] = multiplyAdd(sum[i], a, b);
  }
  for (int i = 0; i < chains; i++) asm volatile("" ::"m"(sum[i]));
  return 2.0 * chains * lanes * rounds;
}

}  // namespace vitral::VITRAL_ISA
