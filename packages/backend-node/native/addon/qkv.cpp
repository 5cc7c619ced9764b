// qkv and the packing of its weights. M rows, C hidden size.
#include "../kernels/qkv.h"
#include "exports.h"
#include "packed-floats.h"

namespace vitral::exported {

namespace {

struct Weights {
  const float* weight[3];
};

Weights weights(Arguments& a, int64_t C) {
  const int64_t count = elements({C, C});
  return {{a.floats("queryWeight", count), a.floats("keyWeight", count), a.floats("valueWeight", count)}};
}

}  // namespace

JsValue packQkv(Arguments& a) {
  const int64_t C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  elements({3, C, C});
  vitral::packQkv(C, weights(a, C).weight, a.floats("packed", packedFloats(C, 3 * C, precision)), precision);
  return nullptr;
}

JsValue qkv(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const FloatOrBf16 x = a.numbers("x", elements({M, C}));
  const auto [weight] = weights(a, C);
  const QkvTensors<const float> parameters = {
      {weight[0], weight[1], weight[2]},
      {a.floatsOrNull("queryBias", C), a.floatsOrNull("keyBias", C), a.floatsOrNull("valueBias", C)}};
  const float* packed = a.floatsOrNull("packed", packedFloats(C, 3 * C, precision));
  qkvForward(M, C, x, parameters, packed, precision, a.numbersOut("output", elements({M, 3, C})));
  return nullptr;
}

JsValue qkvGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize"), weightFloats = elements({C, C});
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", elements({M, 3, C}));
  const FloatOrBf16 x = a.numbers("x", elements({M, C}));
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  const QkvTensors<float> gradients = {
      {a.floatsOrNull("dQueryWeight", weightFloats), a.floatsOrNull("dKeyWeight", weightFloats),
       a.floatsOrNull("dValueWeight", weightFloats)},
      {a.floatsOrNull("dQueryBias", C), a.floatsOrNull("dKeyBias", C), a.floatsOrNull("dValueBias", C)}};
  qkvBackward(M, C, dy, x, weights(a, C).weight, precision, dx, gradients);
  return nullptr;
}

}  // namespace vitral::exported
