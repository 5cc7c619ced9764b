#include "linear.h"

#include <cstring>

#include "../runtime/lanes.h"
#include "column-sums.h"

namespace vitral::VITRAL_ISA {

namespace {
// weight [N, K] read as its transpose [K, N]: the same memory, strides swapped.
MatrixView transposed(const float* weight, int64_t K) { return {weight, 1, K}; }
}  // namespace

int64_t packedLinearFloats(int64_t K, int64_t N, Precision precision) { return packedWeightFloats(K, N, precision); }

void packLinear(int64_t K, int64_t N, const float* weight, float* packed, Precision precision) {
  packWeight(K, N, transposed(weight, K), packed, precision);
}

void linearForward(const LinearForwardArguments& given) {
  const auto& [M, K, N, x, gelu, weight, packed, bias, drops, residual, precision, y] = given;
  if (M == 0) return;
  GemmEpilogue epilogue;
  epilogue.bias = bias;
  epilogue.drops = drops;
  epilogue.residual = residual;
  epilogue.bf16 = y.bf16;
  const MatrixView rows = {x.floats, K, 1, gelu, x.bf16};
  if (packed) gemmPacked(M, N, K, rows, packed, y.floats, N, epilogue, precision);
  else gemm(M, N, K, rows, transposed(weight, K), y.floats, N, epilogue, precision);
}

void linearBackward(const LinearBackwardArguments& given) {
  const int64_t M = given.M, K = given.K, N = given.N, lddy = given.lddy;
  const float* dy = given.dy;
  const FloatOrBf16 x = given.x;
  if (M == 0) {  // a sum over no rows
    if (given.dWeight) std::memset(given.dWeight, 0, N * K * sizeof(float));
    if (given.dBias) std::memset(given.dBias, 0, N * sizeof(float));
    return;
  }
  if (given.dx) {
    GemmEpilogue epilogue;
    if (given.gelu) epilogue.geluGradientOf = x.floats, epilogue.geluGradientOfBf16 = x.bf16;
    gemm(M, K, N, {dy, lddy, 1}, {given.weight, K, 1}, given.dx, K, epilogue, given.precision);
  }
  if (given.dWeight)
    gemm(N, K, M, {dy, 1, lddy, false, nullptr, given.dBias}, {x.floats, K, 1, given.gelu, x.bf16}, given.dWeight, K,
         {}, given.precision);
  else if (given.dBias)
    columnSums(M, N, given.dBias, [&](int64_t row, int64_t c, int64_t n) { return loadSome(dy + row * lddy + c, n); });
}

}  // namespace vitral::VITRAL_ISA
