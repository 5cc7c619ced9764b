// Layer normalisation over the last axis. M rows of C values; 8·M·C operations, bound by memory.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// y = (x - mean)·rstd·weight + bias, rounded where y is bfloat16.
struct LayerNormForwardArguments {
  int64_t M, C;
  const float *x, *weight, *bias;  // [M, C], [C], [C]
  double eps;
  FloatOrBf16Out y;                        // [M, C]
  float *mean = nullptr, *rstd = nullptr;  // [M], written unless null
};
using LayerNormForward = void(const LayerNormForwardArguments&);

// dx = the norm's gradient + residualGradient. The sums over rows have a fixed order.
struct LayerNormBackwardArguments {
  int64_t M, C;
  const float *dy, *x, *weight, *mean, *rstd;
  const float* residualGradient = nullptr;  // [M, C]: the gradient of the connection around the norm's branch, or null
  float *dx = nullptr, *dWeight = nullptr, *dBias = nullptr;  // [M, C], [C], [C]; each may be null
};
using LayerNormBackward = void(const LayerNormBackwardArguments&);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
LayerNormForward layerNormForward;
LayerNormBackward layerNormBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
