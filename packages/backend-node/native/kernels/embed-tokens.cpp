#include "column-sums.h"
#include "lanes.h"
#include "tokens.h"

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
    for (int64_t b = 0; b < B; b++)
      std::memcpy(dPatches + b * N * C, dy + (b * T + 1) * C, N * C * sizeof(float));
  // A batch of rows of T·C values, summed over the batch.
  if (dPositions)
    columnSums(B, T * C, dPositions, [&](int64_t b, int64_t c, int64_t n) { return loadSome(dy + b * T * C + c, n); });
  if (dClsToken)
    columnSums(B, C, dClsToken, [&](int64_t b, int64_t c, int64_t n) { return loadSome(dy + b * T * C + c, n); });
}

void maskTokensForward(int64_t B, int64_t N, int64_t C, const float* patches, const float* maskToken,
                       const float* mask, float* y) {
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
        if (mask[row] != 0)
          std::memset(dPatches + row * C, 0, C * sizeof(float));
        else
          std::memcpy(dPatches + row * C, dy + row * C, C * sizeof(float));
    });
  if (dMaskToken)
    columnSums(B * N, C, dMaskToken, [&](int64_t row, int64_t c, int64_t n) {
      return mask[row] != 0 ? loadSome(dy + row * C + c, n) : Vf{};
    });
}

void selectTokenForward(int64_t B, int64_t T, int64_t C, int64_t index, const float* x, float* y) {
  for (int64_t b = 0; b < B; b++) std::memcpy(y + b * C, x + (b * T + index) * C, C * sizeof(float));
}

void selectTokenBackward(int64_t B, int64_t T, int64_t C, int64_t index, const float* dy, float* dx) {
  parallelFor(0, B, 1 + 32768 / (T * C), [&](int64_t from, int64_t to) {
    for (int64_t b = from; b < to; b++) {
      std::memset(dx + b * T * C, 0, T * C * sizeof(float));
      std::memcpy(dx + (b * T + index) * C, dy + b * C, C * sizeof(float));
    }
  });
}

}  // namespace vitral::VITRAL_ISA
