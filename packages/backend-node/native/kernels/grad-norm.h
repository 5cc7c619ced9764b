// One tensor's part of the norm of all gradients.
#pragma once

#include <cstdint>

namespace vitral {

// The sum of squares of n elements, in double and in an order that depends on n alone.
using SumOfSquares = double(int64_t n, const float* x);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
SumOfSquares sumOfSquares;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
