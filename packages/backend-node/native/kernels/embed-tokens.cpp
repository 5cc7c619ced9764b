#include "embed-tokens.h"

#include <cstring>

#include "../runtime/lanes.h"
#include "column-sums.h"

namespace vitral::VITRAL_ISA {

void embedTokensForward(int64_t B, int64_t N, int64_t C, const float* patches, const float* clsToken,
                        const float* positions, float* tokens) {
  const int64_t T = 1 + N;
  parallelFor(0, B * T, 1 + 32768 / C, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const int64_t b = row / T, t = row % T;
      const float* token = t == 0 ? clsToken : patches + (b * N + t - 1) * C;
      eachOfRow(C, [&](int64_t c, int64_t n) {
        storeSome(tokens + row * C + c, loadSome(token + c, n) + loadSome(positions + t * C + c, n), n);
      });
    }
  });
}

void embedTokensBackward(int64_t B, int64_t N, int64_t C, const float* dy, float* dPatches, float* dClsToken,
                         float* dPositions) {
  const int64_t T = 1 + N;
  if (dPatches)
    for (int64_t b = 0; b < B; b++) std::memcpy(dPatches + b * N * C, dy + (b * T + 1) * C, N * C * sizeof(float));
  // A batch of rows of T·C values, summed over the batch.
  if (dPositions)
    columnSums(B, T * C, dPositions, [&](int64_t b, int64_t c, int64_t n) { return loadSome(dy + b * T * C + c, n); });
  if (dClsToken)
    columnSums(B, C, dClsToken, [&](int64_t b, int64_t c, int64_t n) { return loadSome(dy + b * T * C + c, n); });
}

}  // namespace vitral::VITRAL_ISA
