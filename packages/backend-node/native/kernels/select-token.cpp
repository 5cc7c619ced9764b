#include "select-token.h"

#include <cstring>

#include "../runtime/threads.h"

namespace vitral::VITRAL_ISA {

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
