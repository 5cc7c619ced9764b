#include "../simd.h"
#include "gemm.h"
namespace vitral::VITRAL_ISA {
static void finish(int64_t i, int64_t j, int64_t ldc, float v, float* C, const GemmEpilogue& e) {
  int64_t at = i * ldc + j;
  if (e.accumulate) v += C[at];
  if (e.bias) v += e.bias[j];
  if (e.preActivation) e.preActivation[at] = v;
  if (e.gelu) v = gelu(splat(v))[0];
  if (e.geluGradientOf) v *= geluGradient(splat(e.geluGradientOf[at]))[0];
  C[at] = v;
}
void gemm(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc, const GemmEpilogue& e) {
  for (int64_t i = 0; i < M; i++)
    for (int64_t j = 0; j < N; j++) {
      float sum = 0;
      for (int64_t k = 0; k < K; k++)
        sum += A.data[i * A.rowStride + k * A.colStride] * B.data[k * B.rowStride + j * B.colStride];
      finish(i, j, ldc, sum, C, e);
    }
}
int64_t packedWeightFloats(int64_t K, int64_t N) { return K * N; }
void packWeight(int64_t K, int64_t N, MatrixView B, float* packed) {
  for (int64_t k = 0; k < K; k++)
    for (int64_t j = 0; j < N; j++) packed[k * N + j] = B.data[k * B.rowStride + j * B.colStride];
}
void gemmPacked(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc, const GemmEpilogue& e) {
  gemm(M, N, K, A, MatrixView{packedB, N, 1}, C, ldc, e);
}
}
