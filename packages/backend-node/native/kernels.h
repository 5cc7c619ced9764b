// The kernels as one table per instruction set, chosen once when the process starts to compute.
#pragma once

#include "gemm/gemm.h"
#include "kernels/attention.h"

namespace vitral {

struct Kernels {
  const char* isa;
  GemmFunction gemm;
  PackedWeightFloatsFunction packedWeightFloats;
  PackWeightFunction packWeight;
  GemmPackedFunction gemmPacked;
  AttentionForwardFunction attentionForward;
  AttentionBackwardFunction attentionBackward;
};

// The widest instruction set this CPU has, or the one the environment variable VITRAL_ISA names
// (portable, avx2, avx512; ignored when the CPU lacks it or the name is unknown).
const Kernels& kernels();

// The table of a named instruction set, or null when this build or CPU lacks it.
const Kernels* kernelsOf(const char* isa);

}  // namespace vitral
