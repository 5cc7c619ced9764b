// Matrix product C = epilogue(A·B) over float32 operands of any stride, for every linear layer and its gradients.
// 2·M·N·K operations. The sum of each element runs over k in blocks of a fixed length, so its bits depend on
// neither the number of threads nor on M and N.
#pragma once

#include <cstdint>

namespace vitral {

// Element (i, j) is data[i·rowStride + j·colStride]: a transposed operand is the same memory with the strides swapped.
// With gelu, the exact GELU of that, computed when the operand is packed: its values are never stored.
struct MatrixView {
  const float* data;
  int64_t rowStride, colStride;
  bool gelu = false;
  const uint16_t* bf16 = nullptr;  // the same as bfloat16, instead of data
  // Where the sum of each row goes, taken while the operand is packed: for a left operand of floats with rowStride 1.
  float* sums = nullptr;
};

// The numbers of one array: float32, or bfloat16 where `bf16` is not null.
struct FloatOrBf16 {
  const float* floats = nullptr;
  const uint16_t* bf16 = nullptr;
  FloatOrBf16(const float* floats) : floats(floats) {}
  FloatOrBf16(const uint16_t* bf16) : bf16(bf16) {}
};
struct FloatOrBf16Out {
  float* floats = nullptr;
  uint16_t* bf16 = nullptr;
  FloatOrBf16Out(float* floats) : floats(floats) {}
  FloatOrBf16Out(uint16_t* bf16) : bf16(bf16) {}
  FloatOrBf16Out from(int64_t offset) const {
    return bf16 ? FloatOrBf16Out(bf16 + offset) : FloatOrBf16Out(floats + offset);
  }
};

// What the factors are rounded to before they are multiplied. Products and sums are float32, those of int8 integers of
// 32 bits; gemm/quantise.h says how rows and columns become bytes, and how near the product stays.
enum class Precision { float32, bfloat16, int8 };

constexpr int64_t mostInt8Steps = 1 << 17;  // of which the sums of int8 products stay under 2^31

// Dropout and drop path on a matrix: its elements are multiplied by keep(element)·keep(sample), the multipliers of
// random.h. `element` is the index in memory from the matrix's beginning, `sample` that of its row / rowsPerSample.
struct Drops {
  double dropoutProbability = 0, dropPathProbability = 0;
  uint32_t dropoutSeed = 0, dropPathSeed = 0;
  int64_t rowsPerSample = 1;
  bool any() const { return dropoutProbability > 0 || dropPathProbability > 0; }
};

// What happens to a tile of the product while it is still in cache, in this order:
//   v = A·B (+ C) (+ bias); v *= GELU'(geluGradientOf); v *= drops; v += residual; C = v
struct GemmEpilogue {
  const float* bias = nullptr;                   // [N]
  const float* geluGradientOf = nullptr;         // laid out as C: what GELU was applied to in the forward pass
  const uint16_t* geluGradientOfBf16 = nullptr;  // the same as bfloat16
  Drops drops;
  const float* residual = nullptr;  // laid out as C
  bool accumulate = false;          // add to what C holds
  uint16_t* bf16 =
      nullptr;  // where C goes as bfloat16, with its layout, and C is not written: with a bias, nothing else
};

// M, N, K ≥ 1; in int8 K ≤ mostInt8Steps. C is row-major with ldc ≥ N floats a row, and overlaps no operand.
using Gemm = void(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc,
                  const GemmEpilogue& epilogue, Precision precision);
// A right operand packed once for many products; the layout belongs to the instruction set that packed it.
using PackedWeightFloats = int64_t(int64_t K, int64_t N, Precision precision);
using PackWeight = void(int64_t K, int64_t N, MatrixView B, float* packed, Precision precision);
using GemmPacked = void(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc,
                        const GemmEpilogue& epilogue, Precision precision);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
Gemm gemm;
PackedWeightFloats packedWeightFloats;
PackWeight packWeight;
GemmPacked gemmPacked;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
