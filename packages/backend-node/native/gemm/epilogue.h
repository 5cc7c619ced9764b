// The element-wise end of the matrix product's epilogue, on a tile still in L1.
#pragma once

#include "../kernels/drops.h"
#include "../kernels/gelu-polynomial.h"
#include "bfloat16.h"
#include "gemm.h"

namespace vitral::VITRAL_ISA {

VITRAL_INLINE void prefetchTile(int64_t rows, int64_t columns, const float* tile, int64_t ld) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t line = 0; line < columns; line += 16) __builtin_prefetch(tile + r * ld + line, 1);
}

// A tile is given by the offset of its corner in C and in all that is laid out as C.
class TileEnd {
 public:
  TileEnd(const GemmEpilogue& epilogue, float* C, int64_t ldc)
      : epilogue_(epilogue), multiplier_(epilogue.drops), C_(C), ldc_(ldc) {}

  // Inlined, always: GCC drops the call of a function that does nothing but prefetch.
  VITRAL_INLINE void prefetch(int64_t rows, int64_t columns, int64_t corner) const {
    if (epilogue_.geluGradientOf) prefetchTile(rows, columns, epilogue_.geluGradientOf + corner, ldc_);
    if (epilogue_.geluGradientOfBf16)
      for (int64_t i = 0; i < rows; i++) __builtin_prefetch(epilogue_.geluGradientOfBf16 + corner + i * ldc_);
    if (epilogue_.residual) prefetchTile(rows, columns, epilogue_.residual + corner, ldc_);
  }

  void apply(int64_t rows, int64_t columns, int64_t corner) const {
    if (epilogue_.geluGradientOf || epilogue_.geluGradientOfBf16) multiplyByGeluGradient(rows, columns, corner);
    if (epilogue_.residual || epilogue_.drops.any())
      for (int64_t i = 0; i < rows; i++)
        multiplier_.multiplyRow(corner + i * ldc_, columns, ldc_, C_, epilogue_.residual, C_);
  }

 private:
  void multiplyByGeluGradient(int64_t rows, int64_t columns, int64_t corner) const {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j += lanes) {
        const int64_t count = columns - j < lanes ? columns - j : (int64_t)lanes, at = corner + i * ldc_ + j;
        storeSome(C_ + at, loadSome(C_ + at, count) * geluGradient(argument(at, count)), count);
      }
  }

  VITRAL_INLINE Vf argument(int64_t at, int64_t count) const {
    return epilogue_.geluGradientOfBf16 ? loadSomeBfloat16(epilogue_.geluGradientOfBf16 + at, count)
                                        : loadSome(epilogue_.geluGradientOf + at, count);
  }

  const GemmEpilogue& epilogue_;
  DropMultiplier multiplier_;
  float* C_;
  int64_t ldc_;
};

}  // namespace vitral::VITRAL_ISA
