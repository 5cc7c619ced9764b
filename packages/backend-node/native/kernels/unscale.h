// Gradients divided by the loss scale of mixed precision, with a check that they are finite.
#pragma once

#include <cstdint>

namespace vitral {

// y = x·scale for n elements; returns whether every x was finite.
using UnscaleGradient = bool(int64_t n, const float* x, double scale, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
UnscaleGradient unscaleGradient;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
