// All encoder layers in one call. B images, N tokens, C hidden size.
#include "../kernels/encoder.h"

#include "exports.h"
#include "layer-arrays.h"

namespace vitral::exported {

namespace {

EncoderShape encoderShape(Arguments& a) {
  EncoderShape shape{encoderLayerShape(a), false};
  // More than is needed: its sum does not overflow.
  elements({shape.batch, shape.tokens, 6 + 2 * shape.numHeads, shape.hiddenSize + shape.intermediateSize});
  return shape;
}

}  // namespace

JsValue encoderFloats(Arguments& a) { return a.answer((double)vitral::encoderFloats(encoderShape(a))); }

JsValue encoder(Arguments& a) {
  EncoderShape shape = encoderShape(a);
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  shape.classTokenOnly = a.flag("classTokenOnly");
  const Precision precision = a.precision("dtype");
  const float* x = a.floats("x", elements({shape.batch, shape.tokens, shape.hiddenSize}));
  LayerArrays parameters(a, "parameters", LayerArrays::parameters), packed(a, "packed", LayerArrays::packed);
  if (packed.layers() != parameters.layers())
    throwArgumentError("parameters and packed are of different numbers of layers");
  std::vector<EncoderLayerWeights> layers(parameters.layers());
  for (EncoderLayerWeights& layer : layers) {
    const bool readsClassToken = shape.classTokenOnly && &layer == &layers.back();
    layer = {parameters.tensors<const float>(shape), packed.packedLayer(shape, precision, readsClassToken)};
  }
  float* workspace = a.floats("workspace", vitral::encoderFloats(shape));
  float* y = a.floats("output", elements({shape.batch, shape.outputTokens(), shape.hiddenSize}));
  vitral::encoder(shape, layers.data(), (int64_t)layers.size(), precision, x, workspace, y);
  return nullptr;
}

}  // namespace vitral::exported
