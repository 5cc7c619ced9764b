// Patches replaced by the mask token, for masked image modelling. B images, N patches, C hidden size.
#pragma once

#include <cstdint>

namespace vitral {

// y = mask[B, N] ? maskToken [C] : patches [B, N, C]
using MaskTokensForward = void(int64_t B, int64_t N, int64_t C, const float* patches, const float* maskToken,
                               const float* mask, float* y);
using MaskTokensBackward = void(int64_t B, int64_t N, int64_t C, const float* dy, const float* mask, float* dPatches,
                                float* dMaskToken);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
MaskTokensForward maskTokensForward;
MaskTokensBackward maskTokensBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
