// Class token and position embeddings added to patches. B images, N patches, C hidden size, T = 1 + N tokens.
#pragma once

#include <cstdint>

namespace vitral {

// patches [B, N, C], clsToken [C], positions [T, C] → tokens [B, T, C]
using EmbedTokensForward = void(int64_t B, int64_t N, int64_t C, const float* patches, const float* clsToken,
                                const float* positions, float* tokens);
// Each gradient may be null.
using EmbedTokensBackward = void(int64_t B, int64_t N, int64_t C, const float* dy, float* dPatches, float* dClsToken,
                                 float* dPositions);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
EmbedTokensForward embedTokensForward;
EmbedTokensBackward embedTokensBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
