// patch-embed.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

namespace {
PatchShape patchShape(Arguments& a) {
  PatchShape s;
  s.B = a.sizeOrZero("batch");
  s.channels = a.size("channels");
  s.height = a.size("height");
  s.width = a.size("width");
  s.P = a.size("patchHeight");
  s.Q = a.size("patchWidth");
  s.C = a.size("hiddenSize");
  if (s.height % s.P || s.width % s.Q) throwArgumentError("the image is not a whole number of patches");
  return s;
}
int64_t pixelCount(const PatchShape& s) { return elements({s.B, s.channels, s.height, s.width}); }
int64_t weightCount(const PatchShape& s) { return elements({s.C, s.channels, s.P, s.Q}); }
int64_t tokenCount(const PatchShape& s) { return elements({s.B, s.height / s.P, s.width / s.Q, s.C}); }
}  // namespace

JsValue patchEmbed(Arguments& a) {
  const PatchShape s = patchShape(a);
  const Precision precision = a.precision("dtype");
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  const float* bias = a.floats("bias", s.C);
  kernels().patchEmbedForward(s, pixels, weight, bias, precision, a.floats("output", tokenCount(s)));
  return nullptr;
}

JsValue patchEmbedGrad(Arguments& a) {
  const PatchShape s = patchShape(a);
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", tokenCount(s));
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  float* dPixels = a.floatsOrNull("dPixelValues", pixelCount(s));
  float* dWeight = a.floatsOrNull("dWeight", weightCount(s));
  float* dBias = a.floatsOrNull("dBias", s.C);
  kernels().patchEmbedBackward(s, dy, pixels, weight, precision, dPixels, dWeight, dBias);
  return nullptr;
}

}  // namespace vitral::exported
