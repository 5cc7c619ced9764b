#include "linear.h"

#include "column-sums.h"
#include "lanes.h"

namespace vitral::VITRAL_ISA {

namespace {
// weight [N, K] read as its transpose [K, N]: the same memory, strides swapped.
MatrixView transposed(const float* weight, int64_t K) { return {weight, 1, K}; }
}  // namespace

int64_t packedLinearFloats(int64_t K, int64_t N, Precision precision) { return packedWeightFloats(K, N, precision); }

void packLinear(int64_t K, int64_t N, const float* weight, float* packed, Precision precision) {
  packWeight(K, N, transposed(weight, K), packed, precision);
}

void linearForward(int64_t M, int64_t K, int64_t N, Numbers x, bool ofGelu, const float* weight,
                   const float* packed, const float* bias, const Drops& drops, const float* residual,
                   Precision precision, NumbersOut y, int64_t ldy) {
  if (M == 0) return;
  GemmEpilogue epilogue;
  epilogue.bias = bias;
  epilogue.drops = drops;
  epilogue.residual = residual;
  epilogue.halves = y.halves;
  const MatrixView rows = {x.floats, K, 1, ofGelu, x.halves};
  if (packed)
    gemmPacked(M, N, K, rows, packed, y.floats, ldy, epilogue, precision);
  else
    gemm(M, N, K, rows, transposed(weight, K), y.floats, ldy, epilogue, precision);
}

void linearBackward(int64_t M, int64_t K, int64_t N, const float* dy, int64_t lddy, Numbers x, bool ofGelu,
                    const float* weight, Precision precision, float* dx, float* dWeight, float* dBias) {
  if (M == 0) {  // a sum over no rows
    if (dWeight) std::memset(dWeight, 0, N * K * sizeof(float));
    if (dBias) std::memset(dBias, 0, N * sizeof(float));
    return;
  }
  if (dx) {
    GemmEpilogue epilogue;
    if (ofGelu) epilogue.geluGradientOf = x.floats, epilogue.geluGradientOfHalves = x.halves;
    gemm(M, K, N, {dy, lddy, 1}, {weight, K, 1}, dx, K, epilogue, precision);
  }
  if (dWeight)
    gemm(N, K, M, {dy, 1, lddy, false, nullptr, dBias}, {x.floats, K, 1, ofGelu, x.halves}, dWeight, K, {}, precision);
  else if (dBias)
    columnSums(M, N, dBias, [&](int64_t row, int64_t c, int64_t n) { return loadSome(dy + row * lddy + c, n); });
}

}  // namespace vitral::VITRAL_ISA
