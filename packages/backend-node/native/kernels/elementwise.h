// Ops that go over the elements once: bound by memory. n elements unless a legend says otherwise.
#pragma once

#include <cstdint>

namespace vitral {

using GeluForward = void(int64_t n, const float* x, float* y);
// dx = dy·GELU'(x)
using GeluBackward = void(int64_t n, const float* dy, const float* x, float* dx);
// y = x·keep(i), forward and backward alike; keep is the multiplier of inverted dropout for (seed, element index).
using DropoutMultiply = void(int64_t n, const float* x, double probability, uint32_t seed, float* y);
// y = x + branch·keep(sample), for B samples of n elements; x null leaves it out, which is the branch's gradient.
using ResidualForward = void(int64_t B, int64_t n, const float* x, const float* branch, double dropPathProbability,
                             uint32_t seed, float* y);
using BinaryOperation = void(int64_t n, const float* a, const float* b, float* y);
// Row-wise softmax of M rows of n values.
using SoftmaxRows = void(int64_t M, int64_t n, const float* x, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
GeluForward geluForward;
GeluBackward geluBackward;
DropoutMultiply dropoutMultiply;
ResidualForward residualForward;
BinaryOperation add, subtract, multiply;
SoftmaxRows softmaxRows;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
