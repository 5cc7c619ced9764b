// What happens to tokens before and after the encoder: class token, positions, mask token, and one token taken out.
// B images, N patches, C hidden size; a sequence has T = 1 + N tokens, the class token first.
#pragma once

#include <cstdint>

namespace vitral {

// patches [B, N, C], clsToken [C], positions [T, C] → tokens [B, T, C]
using EmbedTokensForward = void(int64_t B, int64_t N, int64_t C, const float* patches, const float* clsToken,
                                const float* positions, float* tokens);
// Each gradient may be null.
using EmbedTokensBackward = void(int64_t B, int64_t N, int64_t C, const float* dy, float* dPatches, float* dClsToken,
                                 float* dPositions);

// y = mask[B, N] ? maskToken [C] : patches [B, N, C]
using MaskTokensForward = void(int64_t B, int64_t N, int64_t C, const float* patches, const float* maskToken,
                               const float* mask, float* y);
using MaskTokensBackward = void(int64_t B, int64_t N, int64_t C, const float* dy, const float* mask, float* dPatches,
                                float* dMaskToken);

// x [B, T, C] → y [B, C], the token at `index`; backward puts dy there and zeros elsewhere.
using SelectTokenForward = void(int64_t B, int64_t T, int64_t C, int64_t index, const float* x, float* y);
using SelectTokenBackward = void(int64_t B, int64_t T, int64_t C, int64_t index, const float* dy, float* dx);

// positions [1 + h·w, C] → [1 + h2·w2, C]: the class token's as it is, the grid by bicubic interpolation
// (a = -0.75, align_corners=False, no antialiasing, borders clamped), as torch.nn.functional.interpolate.
using InterpolatePositionsForward = void(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* x,
                                         float* y);
using InterpolatePositionsBackward = void(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* dy,
                                          float* dx);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
EmbedTokensForward embedTokensForward;
EmbedTokensBackward embedTokensBackward;
MaskTokensForward maskTokensForward;
MaskTokensBackward maskTokensBackward;
SelectTokenForward selectTokenForward;
SelectTokenBackward selectTokenBackward;
InterpolatePositionsForward interpolatePositionsForward;
InterpolatePositionsBackward interpolatePositionsBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
