// linear and the packing of its weight. M rows, K inputs, N outputs.
#include <string>

#include "../kernels/dispatch.h"
#include "exports.h"
#include "packed-floats.h"

namespace vitral::exported {

int64_t packedFloats(int64_t K, int64_t N, Precision precision) {
  elements({K, N, 16});  // more than padding and the planes of bfloat16 make of it: its own sum does not overflow
  if (precision == Precision::int8 && K > mostInt8Steps)
    throwArgumentError("a layer of more than " + decimal(mostInt8Steps) + " inputs cannot be multiplied in int8");
  return kernels().packedLinearFloats(K, N, precision);
}

JsValue packedLinearFloats(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  return a.answer((double)packedFloats(K, N, a.precision("dtype")));
}

JsValue packLinear(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const float* weight = a.floats("weight", elements({N, K}));
  kernels().packLinear(K, N, weight, a.floats("packed", packedFloats(K, N, precision)), precision);
  return nullptr;
}

JsValue linear(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const LinearForwardArguments call = {.M = M,
                                       .K = K,
                                       .N = N,
                                       .x = a.numbers("x", elements({M, K})),
                                       .gelu = a.flag("gelu"),
                                       .weight = a.floats("weight", elements({N, K})),
                                       .packed = a.floatsOrNull("packed", packedFloats(K, N, precision)),
                                       .bias = a.floatsOrNull("bias", N),
                                       .drops = a.drops("drops", M),
                                       .residual = a.floatsOrNull("residual", elements({M, N})),
                                       .precision = precision,
                                       .y = a.numbersOut("output", elements({M, N}))};
  if (call.y.bf16 && (call.drops.any() || call.residual))
    throwArgumentError("an output of bfloat16 has neither drops nor a residual");
  kernels().linearForward(call);
  return nullptr;
}

JsValue linearGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  kernels().linearBackward({.M = M,
                            .K = K,
                            .N = N,
                            .dy = a.floats("dy", elements({M, N})),
                            .lddy = N,
                            .x = a.numbers("x", elements({M, K})),
                            .gelu = a.flag("gelu"),
                            .weight = a.floats("weight", elements({N, K})),
                            .precision = a.precision("dtype"),
                            .dx = a.floatsOrNull("dx", elements({M, K})),
                            .dWeight = a.floatsOrNull("dWeight", elements({N, K})),
                            .dBias = a.floatsOrNull("dBias", N)});
  return nullptr;
}

}  // namespace vitral::exported
