#include "qkv.h"

#include <algorithm>

#include "threads.h"

namespace vitral {

namespace {

constexpr int64_t grain = 1 << 15;  // floats: about what a thread copies in the time it takes to wake one

// The three parts between one array and three, in pieces for all threads.
template <class Copy>
void eachPiece(int64_t length, Copy copy) {
  for (int part = 0; part < 3; part++)
    parallelFor(0, length, grain, [&](int64_t from, int64_t to) { copy(part, from, to); });
}

bool wantsAll(float* const gradients[3]) { return gradients[0] && gradients[1] && gradients[2]; }

}  // namespace

void joinWeights(int64_t C, const float* const weights[3], float* joined) {
  eachPiece(C * C, [&](int part, int64_t from, int64_t to) {
    std::copy(weights[part] + from, weights[part] + to, joined + part * C * C + from);
  });
}

void joinBiases(int64_t C, const float* const biases[3], float* joined) {
  for (int i = 0; i < 3; i++)
    if (biases[i]) std::copy_n(biases[i], C, joined + i * C);
    else std::fill_n(joined + i * C, C, 0.0f);
}

void qkvForward(int64_t M, int64_t C, Numbers x, const float* const weights[3], const float* const biases[3],
                Precision precision, NumbersOut y) {
  float *weight = scratch(Scratch::kernel, 3 * C * C + 3 * C), *bias = weight + 3 * C * C;
  joinWeights(C, weights, weight);
  joinBiases(C, biases, bias);
  kernels().linearForward(M, C, 3 * C, x, false, weight, nullptr, bias, {}, nullptr, precision, y, 3 * C);
}

void qkvBackward(int64_t M, int64_t C, const float* dy, Numbers x, const float* const weights[3], Precision precision,
                 float* dx, float* const dWeights[3], float* const dBiases[3]) {
  const Kernels& kernel = kernels();
  float *joined = scratch(Scratch::kernel, 3 * C * C + 3 * C), *bias = joined + 3 * C * C;
  if (dx) {
    joinWeights(C, weights, joined);
    kernel.linearBackward(M, C, 3 * C, dy, 3 * C, x, false, joined, precision, dx, nullptr, nullptr);
  }
  if (wantsAll(dWeights)) {
    kernel.linearBackward(M, C, 3 * C, dy, 3 * C, x, false, nullptr, precision, nullptr, joined,
                          wantsAny(dBiases) ? bias : nullptr);
    eachPiece(C * C, [&](int part, int64_t from, int64_t to) {
      std::copy(joined + part * C * C + from, joined + part * C * C + to, dWeights[part] + from);
    });
    for (int i = 0; i < 3; i++)
      if (dBiases[i]) std::copy_n(bias + i * C, C, dBiases[i]);
  } else {
    for (int i = 0; i < 3; i++)
      kernel.linearBackward(M, C, C, dy + i * C, 3 * C, x, false, nullptr, precision, nullptr, dWeights[i], dBiases[i]);
  }
}

}  // namespace vitral
