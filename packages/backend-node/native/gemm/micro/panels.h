// Which panels multiply in which precision on this instruction set.
#pragma once

#include "fma.h"
#include "int8.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#elif defined(__AVX512BF16__)
#include "pairs.h"
#endif

namespace vitral::VITRAL_ISA {

#if defined(__AMX_BF16__)
using Float32Panels = AmxPanels<3>;
using Bfloat16Panels = AmxPanels<1>;
#elif defined(__AVX512BF16__)
using Float32Panels = FmaPanels<false>;
using Bfloat16Panels = PairPanels;
#else
using Float32Panels = FmaPanels<false>;
using Bfloat16Panels = FmaPanels<true>;
#endif

using Int8Panels = Int8VectorPanels;

}  // namespace vitral::VITRAL_ISA
