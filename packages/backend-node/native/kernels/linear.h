// A linear layer, of x or of GELU(x).
// M rows (there may be none: sums over them are 0), K inputs, N outputs; weights are [N, K], PyTorch's layout.
// 2·M·K·N operations forward, twice that backward.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// y [M, N] = (x·weightᵀ + bias)·drops + residual, or GELU(x) in place of x.
struct LinearForwardArguments {
  int64_t M = 0, K = 0, N = 0;
  FloatOrBf16 x = (const float*)nullptr;  // [M, K]
  bool gelu = false;                      // the layer reads GELU(x)
  const float* weight = nullptr;          // [N, K], read unless there is `packed`
  const float* packed = nullptr;          // the weight as packLinear wrote it
  const float* bias = nullptr;            // [N], or null
  Drops drops = {};                       // none where y is bfloat16
  const float* residual = nullptr;        // [M, N], or null; null where y is bfloat16
  Precision precision = Precision::float32;
  FloatOrBf16Out y = (float*)nullptr;
};
using LinearForward = void(const LinearForwardArguments&);

// dy → dx, dWeight and dBias, each unless it is null.
struct LinearBackwardArguments {
  int64_t M = 0, K = 0, N = 0;
  const float* dy = nullptr;  // [M, rows of lddy floats]
  int64_t lddy = 0;
  FloatOrBf16 x = (const float*)nullptr;  // [M, K]
  bool gelu = false;                      // the layer reads GELU(x)
  const float* weight = nullptr;          // [N, K], read for dx alone
  Precision precision = Precision::float32;
  float* dx = nullptr;       // [M, K]
  float* dWeight = nullptr;  // [N, K]
  float* dBias = nullptr;    // [N]
};
using LinearBackward = void(const LinearBackwardArguments&);

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
