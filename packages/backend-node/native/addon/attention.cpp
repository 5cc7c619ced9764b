// attention. B images, N tokens, H heads, D head size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

static AttentionOptions attentionOptions(Arguments& a) {
  return {.B = a.sizeOrZero("batch"),
          .N = a.size("tokens"),
          .H = a.size("numHeads"),
          .D = a.size("headSize"),
          .scale = (float)a.number("scale"),
          .dropoutProbability = a.number("dropoutProbability"),
          .seed = a.bits("seed"),
          .precision = a.precision("dtype")};
}

JsValue attention(Arguments& a) {
  const AttentionOptions options = attentionOptions(a);
  const auto& [B, N, H, D, scale, dropoutProbability, seed, precision] = options;
  const FloatOrBf16 qkv = a.numbers("qkv", elements({B, N, 3, H, D}));
  const FloatOrBf16Out out = a.numbersOut("output", elements({B, N, H, D}));
  kernels().attentionForward(options, qkv, out, a.floatsOrNull("logSumExp", elements({B, H, N})));
  return nullptr;
}

JsValue attentionGrad(Arguments& a) {
  const AttentionOptions options = attentionOptions(a);
  const auto& [B, N, H, D, scale, dropoutProbability, seed, precision] = options;
  const float* dy = a.floats("dy", elements({B, N, H, D}));
  const FloatOrBf16 qkv = a.numbers("qkv", elements({B, N, 3, H, D}));
  const FloatOrBf16 out = a.numbers("output", elements({B, N, H, D}));
  const float* logSumExp = a.floats("logSumExp", elements({B, H, N}));
  kernels().attentionBackward(options, qkv, out, dy, logSumExp, a.floats("dQkv", elements({B, N, 3, H, D})));
  return nullptr;
}

}  // namespace vitral::exported
