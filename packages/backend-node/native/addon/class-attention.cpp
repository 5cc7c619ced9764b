// class-attention. B images, N tokens, H heads, D head size, C = H·D.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

namespace {

ClassAttentionShape classAttentionShape(Arguments& a) {
  const ClassAttentionShape shape = {a.sizeOrZero("batch"), a.size("tokens"), a.size("numHeads"), a.size("headSize")};
  elements({shape.H, shape.D});
  return shape;
}

// Floats of what the forward pass saves for the backward pass; throws when there are too many.
int64_t savedFloats(const ClassAttentionShape& shape) {
  // More than is needed: its sum does not overflow.
  elements({shape.B, 1 + shape.H, 3, shape.hiddenSize() + shape.N});
  return shape.workspaceFloats();
}

// The gradient has no use for biases.
ClassAttentionWeights weights(Arguments& a, int64_t C) {
  const int64_t count = elements({C, C});
  return {a.floats("queryWeight", count), a.floats("keyWeight", count), a.floats("valueWeight", count), nullptr,
          nullptr};
}

}  // namespace

JsValue classAttentionFloats(Arguments& a) { return a.answer((double)savedFloats(classAttentionShape(a))); }

JsValue classAttention(Arguments& a) {
  const ClassAttentionShape shape = classAttentionShape(a);
  const int64_t C = shape.hiddenSize();
  const float* x = a.floats("x", elements({shape.B, shape.N, C}));
  ClassAttentionWeights parameters = weights(a, C);
  parameters.queryBias = a.floatsOrNull("queryBias", C);
  parameters.valueBias = a.floatsOrNull("valueBias", C);
  float* out = a.floats("output", elements({shape.B, C}));
  kernels().classAttentionForward(shape, x, parameters, (float)a.number("scale"), a.floats("saved", savedFloats(shape)),
                                  out);
  return nullptr;
}

JsValue classAttentionGrad(Arguments& a) {
  const ClassAttentionShape shape = classAttentionShape(a);
  const int64_t C = shape.hiddenSize(), weightFloats = elements({C, C});
  const float* dy = a.floats("dy", elements({shape.B, C}));
  const float* x = a.floats("x", elements({shape.B, shape.N, C}));
  const float* saved = a.floats("saved", savedFloats(shape));
  const ClassAttentionGradients gradients = {.x = a.floatsOrNull("dx", elements({shape.B, shape.N, C})),
                                             .query = a.floatsOrNull("dQueryWeight", weightFloats),
                                             .key = a.floatsOrNull("dKeyWeight", weightFloats),
                                             .value = a.floatsOrNull("dValueWeight", weightFloats),
                                             .queryBias = a.floatsOrNull("dQueryBias", C),
                                             .valueBias = a.floatsOrNull("dValueBias", C)};
  kernels().classAttentionBackward(shape, x, weights(a, C), (float)a.number("scale"), saved, dy, gradients);
  return nullptr;
}

}  // namespace vitral::exported
