// A linear layer, of x or of GELU(x), and three of them side by side for attention.
// M rows (there may be none: sums over them are 0), K inputs, N outputs; weights are [N, K], PyTorch's layout.
// 2·M·K·N operations forward, twice that backward.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// y [M, ldy…] = (x·weightᵀ + bias)·drops + residual, or GELU(x) in place of x. `packed` is the weight as packWeight made
// it, or null. bias and residual, laid out as y, may be null. y as bfloat16 has a bias, but neither drops nor a residual.
using LinearForward = void(int64_t M, int64_t K, int64_t N, Numbers x, bool ofGelu, const float* weight,
                           const float* packed, const float* bias, const Drops& drops, const float* residual,
                           Precision precision, NumbersOut y, int64_t ldy);
// dy [M, lddy…] → dx [M, K], dWeight [N, K], dBias [N]; each may be null.
using LinearBackward = void(int64_t M, int64_t K, int64_t N, const float* dy, int64_t lddy, Numbers x, bool ofGelu,
                            const float* weight, Precision precision, float* dx, float* dWeight, float* dBias);
// Floats of a packed weight, and the packing itself.
using PackedLinearFloats = int64_t(int64_t K, int64_t N, Precision precision);
using PackLinear = void(int64_t K, int64_t N, const float* weight, float* packed, Precision precision);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
LinearForward linearForward;
LinearBackward linearBackward;
PackedLinearFloats packedLinearFloats;
PackLinear packLinear;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
