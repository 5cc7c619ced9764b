// One token of each sequence. B images, T tokens, C hidden size.
#pragma once

#include <cstdint>

namespace vitral {

// x [B, T, C] → y [B, C], the token at `index`; backward puts dy there and zeros elsewhere.
using SelectTokenForward = void(int64_t B, int64_t T, int64_t C, int64_t index, const float* x, float* y);
using SelectTokenBackward = void(int64_t B, int64_t T, int64_t C, int64_t index, const float* dy, float* dx);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
SelectTokenForward selectTokenForward;
SelectTokenBackward selectTokenBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
