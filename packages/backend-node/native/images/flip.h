// Mirroring left and right.
#pragma once

#include <cstdint>

namespace vitral {

using FlipRows = void(int64_t height, int64_t width, int64_t channels, const uint8_t* x, uint8_t* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
FlipRows flipRows;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
