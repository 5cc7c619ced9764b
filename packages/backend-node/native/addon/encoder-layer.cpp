// An encoder layer that trains, and its gradient. B images, N tokens, C hidden size, I intermediate size.
#include "../kernels/encoder-layer.h"

#include "exports.h"
#include "layer-arrays.h"

namespace vitral::exported {

namespace {

EncoderLayerShape trainingShape(Arguments& a) {
  const EncoderLayerShape shape = encoderLayerShape(a);
  // More than any sum of what follows, which so cannot overflow; each array of an arena takes 15 floats more at most.
  elements({shape.batch, shape.tokens, 16, shape.hiddenSize + shape.numHeads, 16 + shape.intermediateSize});
  return shape;
}

EncoderLayerDrops drops(Arguments& a, const EncoderLayerShape& shape) {
  return {.attentionProbability = a.number("attentionDropout"),
          .attentionSeed = a.bits("attentionSeed"),
          .afterAttention = a.drops("afterAttention", shape.rows()),
          .afterMlp = a.drops("afterMlp", shape.rows())};
}

EncoderLayerParameters parameters(Arguments& a, const EncoderLayerShape& shape) {
  return LayerArrays(a, "parameters", LayerArrays::parameters).tensors<const float>(shape);
}

}  // namespace

JsValue encoderLayerFloats(Arguments& a) {
  const EncoderLayerShape shape = trainingShape(a);
  return a.answer({encoderLayerSavedFloats(shape, a.precision("dtype")), encoderLayerForwardFloats(shape),
                   encoderLayerBackwardFloats(shape)});
}

JsValue encoderLayer(Arguments& a) {
  EncoderLayerShape shape = trainingShape(a);
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  const Precision precision = a.precision("dtype");
  const int64_t size = elements({shape.batch, shape.tokens, shape.hiddenSize});
  const float* x = a.floats("x", size);
  const EncoderLayerParameters weights = parameters(a, shape);
  float* saved = a.floats("saved", encoderLayerSavedFloats(shape, precision));
  float* workspace = a.floats("workspace", encoderLayerForwardFloats(shape));
  encoderLayerForward(shape, drops(a, shape), weights, precision, x, saved, workspace, a.floats("output", size));
  return nullptr;
}

JsValue encoderLayerGrad(Arguments& a) {
  EncoderLayerShape shape = trainingShape(a);
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  const Precision precision = a.precision("dtype");
  const int64_t size = elements({shape.batch, shape.tokens, shape.hiddenSize});
  const float *dy = a.floats("dy", size), *x = a.floats("x", size);
  const EncoderLayerParameters weights = parameters(a, shape);
  const float* saved = a.floats("saved", encoderLayerSavedFloats(shape, precision));
  float* workspace = a.floats("workspace", encoderLayerBackwardFloats(shape));
  const auto gradients = LayerArrays(a, "gradients", LayerArrays::parameters).tensors<float>(shape);
  encoderLayerBackward(shape, drops(a, shape), weights, precision, dy, x, saved, workspace, a.floatsOrNull("dx", size),
                       gradients);
  return nullptr;
}

}  // namespace vitral::exported
