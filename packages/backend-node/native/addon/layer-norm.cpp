// layer-norm. M rows, C hidden size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue layerNorm(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  kernels().layerNormForward({.M = M,
                              .C = C,
                              .x = a.floats("x", elements({M, C})),
                              .weight = a.floats("weight", C),
                              .bias = a.floats("bias", C),
                              .eps = a.number("eps"),
                              .y = a.numbersOut("output", elements({M, C})),
                              .mean = a.floatsOrNull("mean", M),
                              .rstd = a.floatsOrNull("rstd", M)});
  return nullptr;
}

JsValue layerNormGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  kernels().layerNormBackward({.M = M,
                               .C = C,
                               .dy = a.floats("dy", elements({M, C})),
                               .x = a.floats("x", elements({M, C})),
                               .weight = a.floats("weight", C),
                               .mean = a.floats("mean", M),
                               .rstd = a.floats("rstd", M),
                               .dx = a.floatsOrNull("dx", elements({M, C})),
                               .dWeight = a.floatsOrNull("dWeight", C),
                               .dBias = a.floatsOrNull("dBias", C)});
  return nullptr;
}

}  // namespace vitral::exported
