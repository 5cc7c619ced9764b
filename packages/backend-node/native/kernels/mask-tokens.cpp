#include "mask-tokens.h"

#include <cstring>

#include "../runtime/lanes.h"
#include "column-sums.h"

namespace vitral::VITRAL_ISA {

void maskTokensForward(int64_t B, int64_t N, int64_t C, const float* patches, const float* maskToken, const float* mask,
                       float* y) {
  parallelFor(0, B * N, 1 + 32768 / C, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++)
      std::memcpy(y + row * C, mask[row] != 0 ? maskToken : patches + row * C, C * sizeof(float));
  });
}

void maskTokensBackward(int64_t B, int64_t N, int64_t C, const float* dy, const float* mask, float* dPatches,
                        float* dMaskToken) {
  if (dPatches)
    parallelFor(0, B * N, 1 + 32768 / C, [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; row++)
        if (mask[row] != 0) std::memset(dPatches + row * C, 0, C * sizeof(float));
        else std::memcpy(dPatches + row * C, dy + row * C, C * sizeof(float));
    });
  if (dMaskToken)
    columnSums(B * N, C, dMaskToken, [&](int64_t row, int64_t c, int64_t n) {
      return mask[row] != 0 ? loadSome(dy + row * C + c, n) : Vf{};
    });
}

}  // namespace vitral::VITRAL_ISA
