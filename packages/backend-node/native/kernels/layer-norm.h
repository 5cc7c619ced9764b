// Layer normalisation over the last axis. M rows of C values; 8·M·C operations, bound by memory.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// y = (x - mean)·rstd·weight + bias, rounded where y is bfloat16; mean and rstd [M] are written when not null.
using LayerNormForward = void(int64_t M, int64_t C, const float* x, const float* weight, const float* bias, double eps,
                              NumbersOut y, float* mean, float* rstd);
// dx [M, C] = the norm's gradient + `around` [M, C], the gradient of a residual connection, or null. Each of dx, dWeight [C]
// and dBias [C] may be null. The sums over rows have a fixed order.
using LayerNormBackward = void(int64_t M, int64_t C, const float* dy, const float* x, const float* weight,
                               const float* mean, const float* rstd, const float* around, float* dx, float* dWeight,
                               float* dBias);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
LayerNormForward layerNormForward;
LayerNormBackward layerNormBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
