// Which panels multiply in which precision on this instruction set.
#pragma once

#include "fma.h"
#include "int8.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#endif

namespace vitral::VITRAL_ISA {

#if defined(__AMX_BF16__)
using Float32Panels = AmxPanels<3>;
using Bfloat16Panels = AmxPanels<1>;
#else
// AVX512_BF16 alone is left out: on the Intel processor it was tried on it has half the rate of fused multiply-adds.
using Float32Panels = FmaPanels<false>;
using Bfloat16Panels = FmaPanels<true>;
#endif

using Int8Panels = Int8VectorPanels;

}  // namespace vitral::VITRAL_ISA
