// Ops that go over the elements once: bound by memory. n elements unless a legend says otherwise.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

using GeluForward = void(int64_t n, const float* x, float* y);
// dx = dy·GELU'(x)
using GeluBackward = void(int64_t n, const float* dy, const float* x, float* dx);
// y = x·drops of M rows of n values, forward and backward alike.
using DropRows = void(int64_t M, int64_t n, const float* x, const Drops& drops, float* y);
using BinaryOperation = void(int64_t n, const float* a, const float* b, float* y);
// Row-wise softmax of M rows of n values.
using SoftmaxRows = void(int64_t M, int64_t n, const float* x, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
GeluForward geluForward;
GeluBackward geluBackward;
DropRows dropRows;
BinaryOperation add, subtract, multiply;
SoftmaxRows softmaxRows;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
