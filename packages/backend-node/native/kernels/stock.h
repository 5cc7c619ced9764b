// Kernels of stock tfjs ops, which a loss, an optimizer or a user composes. n elements each.
#pragma once

#include <cstdint>

namespace vitral {

using BinaryOperation = void(int64_t n, const float* a, const float* b, float* y);
// Row-wise softmax of M rows of n values.
using SoftmaxRows = void(int64_t M, int64_t n, const float* x, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
BinaryOperation add, subtract, multiply;
SoftmaxRows softmaxRows;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
