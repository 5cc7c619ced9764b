// The end of a chain of transforms: bytes become floats, through a table that has what each byte becomes.
#pragma once

#include <cstdint>

namespace vitral {

// y[c, i] = table[c, x[i, c]] for n pixels.
using ApplyLut = void(int64_t n, int64_t channels, const uint8_t* x, const float* table, float* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
ApplyLut applyLut;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
