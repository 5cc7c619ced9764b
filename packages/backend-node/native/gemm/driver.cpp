// The matrix product's entry points: which panels multiply in which precision on this instruction set.
#include "driver.h"

#include "fma.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#endif

namespace vitral::VITRAL_ISA {
namespace {

#if defined(__AMX_BF16__)
using Float32 = Driver<AmxPanels<3>>;
using Bfloat16 = Driver<AmxPanels<1>>;
#else
using Float32 = Driver<FmaPanels<false>>;
using Bfloat16 = Driver<FmaPanels<true>>;
#endif

}  // namespace

void gemm(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc,
          const GemmEpilogue& epilogue, Precision precision) {
  (precision == Precision::bfloat16 ? Bfloat16::multiply : Float32::multiply)(M, N, K, A, B, C, ldc, epilogue);
}

int64_t packedWeightFloats(int64_t K, int64_t N, Precision precision) {
  return (precision == Precision::bfloat16 ? Bfloat16::packedFloats : Float32::packedFloats)(K, N);
}

void packWeight(int64_t K, int64_t N, MatrixView B, float* packed, Precision precision) {
  (precision == Precision::bfloat16 ? Bfloat16::pack : Float32::pack)(K, N, B, packed);
}

void gemmPacked(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc,
                const GemmEpilogue& epilogue, Precision precision) {
  (precision == Precision::bfloat16 ? Bfloat16::multiplyPacked
                                    : Float32::multiplyPacked)(M, N, K, A, packedB, C, ldc, epilogue);
}

}  // namespace vitral::VITRAL_ISA
