// Fills the table of the instruction set this file is compiled for.
#include "dispatch.h"

namespace vitral::VITRAL_ISA {

#define VITRAL_NAME(isa) VITRAL_STRING(isa)
#define VITRAL_STRING(isa) #isa

extern const Kernels table;
const Kernels table = {
    VITRAL_NAME(VITRAL_ISA),
    gemm,
    packedWeightFloats,
    packWeight,
    gemmPacked,
    attentionForward,
    attentionBackward,
    classAttentionForward,
    classAttentionBackward,
    patchEmbedForward,
    patchEmbedBackward,
    embedTokensForward,
    embedTokensBackward,
    maskTokensForward,
    maskTokensBackward,
    selectTokenForward,
    selectTokenBackward,
    interpolatePositionsForward,
    interpolatePositionsBackward,
    layerNormForward,
    layerNormBackward,
    linearForward,
    linearBackward,
    packedLinearFloats,
    packLinear,
    geluForward,
    geluBackward,
    dropRows,
    add,
    subtract,
    multiply,
    softmaxRows,
    crossEntropyForward,
    crossEntropyBackward,
    sumOfSquares,
    unscaleGradient,
    adamStep,
    sgdStep,
    lionStep,
    spinFma,
#if !defined(__wasm__)
    resizeImage,
    flipRows,
    projectNearest,
    projectNearestInFloat,
    projectBilinear,
    blendWithGrey,
    blendWithLuma,
    luma,
    lumaSum,
    adjustHue,
    applyLut,
#endif
};

}  // namespace vitral::VITRAL_ISA
