// Stock tfjs ops that have a native kernel.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

static JsValue binary(Arguments& a, BinaryOperation* operation) {
  const int64_t n = a.sizeOrZero("size");
  const float* left = a.floats("a", n);
  const float* right = a.floats("b", n);
  operation(n, left, right, a.floats("output", n));
  return nullptr;
}

JsValue add(Arguments& a) { return binary(a, kernels().add); }
JsValue subtract(Arguments& a) { return binary(a, kernels().subtract); }
JsValue multiply(Arguments& a) { return binary(a, kernels().multiply); }

JsValue softmax(Arguments& a) {
  const int64_t M = a.size("rows"), n = a.size("columns");
  const float* x = a.floats("x", elements({M, n}));
  kernels().softmaxRows(M, n, x, a.floats("output", elements({M, n})));
  return nullptr;
}

// batch products of [M, K] (or its transpose [K, M]) with [K, N] (or [N, K]).
JsValue matMul(Arguments& a) {
  const int64_t batch = a.size("batch"), M = a.size("rows"), N = a.size("columns"), K = a.size("inner");
  const float* left = a.floats("a", elements({batch, M, K}));
  const bool leftTransposed = a.flag("transposeA");
  const float* right = a.floats("b", elements({batch, K, N}));
  const bool rightTransposed = a.flag("transposeB");
  float* out = a.floats("output", elements({batch, M, N}));
  for (int64_t i = 0; i < batch; i++) {
    const MatrixView A = {left + i * M * K, leftTransposed ? 1 : K, leftTransposed ? M : 1};
    const MatrixView B = {right + i * K * N, rightTransposed ? 1 : N, rightTransposed ? K : 1};
    kernels().gemm(M, N, K, A, B, out + i * M * N, N, {}, Precision::float32);
  }
  return nullptr;
}

}  // namespace vitral::exported
