// The limit of the FMA units, against which the other figures are measured.
#pragma once

#include <cstdint>

namespace vitral {

// Runs `rounds` rounds of independent multiply-adds in registers and returns their floating-point operations.
using SpinFma = double(int64_t rounds);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
SpinFma spinFma;
}
#endif

}  // namespace vitral
