// Patch embedding: a convolution whose stride is its kernel size, as a gather and a matrix product.
// B images of c channels and h×w pixels, patches of P×Q pixels, C hidden size; N = (h/P)·(w/Q) tokens an image.
#pragma once

#include "../gemm/gemm.h"

namespace vitral {

// Its functions are inlined always: a copy of their own could be linked from the wrong instruction set.
struct PatchShape {
  int64_t B, channels, height, width, P, Q, C;
  __attribute__((always_inline)) int64_t tokens() const { return (height / P) * (width / Q); }
  __attribute__((always_inline)) int64_t patchFloats() const { return channels * P * Q; }
};

// pixels [B, c, h, w], weight [C, c, P, Q], bias [C] → tokens [B, N, C]
using PatchEmbedForward = void(const PatchShape& shape, const float* pixels, const float* weight, const float* bias,
                               Precision precision, float* tokens);
// dPixels, dWeight and dBias may each be null.
using PatchEmbedBackward = void(const PatchShape& shape, const float* dy, const float* pixels, const float* weight,
                                Precision precision, float* dPixels, float* dWeight, float* dBias);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
PatchEmbedForward patchEmbedForward;
PatchEmbedBackward patchEmbedBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
