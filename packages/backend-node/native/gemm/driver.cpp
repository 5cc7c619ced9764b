// The matrix product's entry points.
#include "driver.h"

#include "micro/panels.h"

namespace vitral::VITRAL_ISA {

namespace {

// Returns run(driver), of the driver for this precision.
template <class Run>
auto withDriver(Precision precision, Run run) {
  switch (precision) {
    case Precision::bfloat16: return run(Driver<Bfloat16Panels>{});
    case Precision::int8: return run(Driver<Int8Panels>{});
    default: return run(Driver<Float32Panels>{});
  }
}

}  // namespace

void gemm(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc,
          const GemmEpilogue& epilogue, Precision precision) {
  withDriver(precision, [&](auto driver) { driver.multiply(M, N, K, A, B, C, ldc, epilogue); });
}

int64_t packedWeightFloats(int64_t K, int64_t N, Precision precision) {
  return withDriver(precision, [&](auto driver) { return driver.packedFloats(K, N); });
}

void packWeight(int64_t K, int64_t N, MatrixView B, float* packed, Precision precision) {
  withDriver(precision, [&](auto driver) { driver.pack(K, N, B, packed); });
}

void gemmPacked(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc,
                const GemmEpilogue& epilogue, Precision precision) {
  withDriver(precision, [&](auto driver) { driver.multiplyPacked(M, N, K, A, packedB, C, ldc, epilogue); });
}

}  // namespace vitral::VITRAL_ISA
