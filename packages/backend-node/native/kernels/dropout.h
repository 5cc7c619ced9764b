// Dropout and drop path of a matrix by itself; products apply them in their epilogue.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// y = x·drops of M rows of n values, forward and backward alike.
using DropRows = void(int64_t M, int64_t n, const float* x, const Drops& drops, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
DropRows dropRows;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
