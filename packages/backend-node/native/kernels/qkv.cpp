#include "qkv.h"

#include <algorithm>

#include "../runtime/threads.h"

namespace vitral {

namespace {

constexpr int64_t grain = 1 << 15;  // floats: about what a thread copies in the time it takes to wake one

// The three parts between one array and three, in pieces for all threads.
template <class Copy>
void eachPiece(int64_t length, Copy copy) {
  for (int part = 0; part < 3; part++)
    parallelFor(0, length, grain, [&](int64_t from, int64_t to) { copy(part, from, to); });
}

bool any(float* const gradients[3]) { return gradients[0] || gradients[1] || gradients[2]; }
bool all(float* const gradients[3]) { return gradients[0] && gradients[1] && gradients[2]; }

// [3, C, C]
void joinWeights(int64_t C, const float* const weights[3], float* joined) {
  eachPiece(C * C, [&](int part, int64_t from, int64_t to) {
    std::copy(weights[part] + from, weights[part] + to, joined + part * C * C + from);
  });
}

// [3, C], with zeros where there is no bias.
void joinBiases(int64_t C, const float* const biases[3], float* joined) {
  for (int i = 0; i < 3; i++)
    if (biases[i]) std::copy_n(biases[i], C, joined + i * C);
    else std::fill_n(joined + i * C, C, 0.0f);
}

}  // namespace

void packQkv(int64_t C, const float* const weights[3], float* packed, Precision precision) {
  float* joined = scratch(Scratch::kernel, 3 * C * C);
  joinWeights(C, weights, joined);
  kernels().packLinear(C, 3 * C, joined, packed, precision);
}

void qkvForward(int64_t M, int64_t C, FloatOrBf16 x, const QkvTensors<const float>& parameters, const float* packed,
                Precision precision, FloatOrBf16Out y) {
  float* bias = scratch(Scratch::kernel, 3 * C + (packed ? 0 : 3 * C * C));
  float* weight = packed ? nullptr : bias + 3 * C;
  joinBiases(C, parameters.bias, bias);
  if (weight) joinWeights(C, parameters.weight, weight);
  kernels().linearForward({.M = M,
                           .K = C,
                           .N = 3 * C,
                           .x = x,
                           .weight = weight,
                           .packed = packed,
                           .bias = bias,
                           .precision = precision,
                           .y = y});
}

void qkvBackward(int64_t M, int64_t C, const float* dy, FloatOrBf16 x, const float* const weights[3],
                 Precision precision, float* dx, const QkvTensors<float>& gradients) {
  const Kernels& kernel = kernels();
  const auto& [dWeights, dBiases] = gradients;
  float *joined = scratch(Scratch::kernel, 3 * C * C + 3 * C), *bias = joined + 3 * C * C;
  if (dx) {
    joinWeights(C, weights, joined);
    kernel.linearBackward({.M = M,
                           .K = C,
                           .N = 3 * C,
                           .dy = dy,
                           .lddy = 3 * C,
                           .x = x,
                           .weight = joined,
                           .precision = precision,
                           .dx = dx});
  }
  if (all(dWeights)) {
    kernel.linearBackward({.M = M,
                           .K = C,
                           .N = 3 * C,
                           .dy = dy,
                           .lddy = 3 * C,
                           .x = x,
                           .precision = precision,
                           .dWeight = joined,
                           .dBias = any(dBiases) ? bias : nullptr});
    eachPiece(C * C, [&](int part, int64_t from, int64_t to) {
      std::copy(joined + part * C * C + from, joined + part * C * C + to, dWeights[part] + from);
    });
    for (int i = 0; i < 3; i++)
      if (dBiases[i]) std::copy_n(bias + i * C, C, dBiases[i]);
  } else {
    for (int i = 0; i < 3; i++)
      kernel.linearBackward({.M = M,
                             .K = C,
                             .N = C,
                             .dy = dy + i * C,
                             .lddy = 3 * C,
                             .x = x,
                             .precision = precision,
                             .dWeight = dWeights[i],
                             .dBias = dBiases[i]});
  }
}

bool wantsAny(const QkvTensors<float>& gradients) { return any(gradients.weight) || any(gradients.bias); }

}  // namespace vitral
