// Position embeddings for another grid of patches.
#pragma once

#include <cstdint>

namespace vitral {

// positions [1 + h·w, C] → [1 + h2·w2, C]: the class token's as it is, the grid by bicubic interpolation
// (a = -0.75, align_corners=False, no antialiasing, borders clamped), as torch.nn.functional.interpolate.
using InterpolatePositionsForward = void(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* x,
                                         float* y);
using InterpolatePositionsBackward = void(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* dy,
                                          float* dx);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
InterpolatePositionsForward interpolatePositionsForward;
InterpolatePositionsBackward interpolatePositionsBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
