// The exact GELU of n elements, and its gradient.
#pragma once

#include <cstdint>

namespace vitral {

using GeluForward = void(int64_t n, const float* x, float* y);
// dx = dy·GELU'(x)
using GeluBackward = void(int64_t n, const float* dy, const float* x, float* dx);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
GeluForward geluForward;
GeluBackward geluBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
