// Multi-head self-attention on packed qkv [B, N, 3C] without ever storing the N×N probabilities. qkv and out may be
// bfloat16: with products of bfloat16 that changes no bit of out but its last rounding.
// B batch, N tokens, C = H·D hidden size, H heads, D head size. 4·B·H·N²·D operations forward, 10·B·H·N²·D backward.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

struct AttentionOptions {
  int64_t B, N, H, D;
  float scale;  // the scores are scale·q·kᵀ
  double dropoutProbability = 0;
  uint32_t seed = 0;
  Precision precision = Precision::float32;  // the products' factors
};

// out [B, N, C] = dropout(softmax(scale·q·kᵀ))·v, head h in columns h·D…; logSumExp [B, H, N], or null when not wanted,
// is the natural logarithm of each row's sum of exp(scale·q·k).
using AttentionForward = void(const AttentionOptions& options, FloatOrBf16 qkv, FloatOrBf16Out out, float* logSumExp);
// dQkv [B, N, 3C] is overwritten. The sums over queries have a fixed order, whatever the thread count.
using AttentionBackward = void(const AttentionOptions& options, FloatOrBf16 qkv, FloatOrBf16 out, const float* dOut,
                               const float* logSumExp, float* dQkv);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
AttentionForward attentionForward;
AttentionBackward attentionBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
