// Fills the table of the instruction set this file is compiled for.
#include "kernels.h"

namespace vitral::VITRAL_ISA {

#define VITRAL_NAME(isa) VITRAL_STRING(isa)
#define VITRAL_STRING(isa) #isa

extern const Kernels table;
const Kernels table = {
    VITRAL_NAME(VITRAL_ISA), gemm, packedWeightFloats, packWeight, gemmPacked, attentionForward, attentionBackward,
};

}  // namespace vitral::VITRAL_ISA
