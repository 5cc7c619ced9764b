#include "layer-arrays.h"

#include "packed-floats.h"

namespace vitral::exported {

EncoderLayerShape encoderLayerShape(Arguments& a) {
  EncoderLayerShape shape{};
  shape.batch = a.sizeOrZero("batch"), shape.tokens = a.size("tokens"), shape.hiddenSize = a.size("hiddenSize");
  shape.numHeads = a.size("numHeads"), shape.intermediateSize = a.size("intermediateSize");
  if (shape.hiddenSize % shape.numHeads) throwArgumentError("numHeads does not divide hiddenSize");
  return shape;
}

LayerArrays::LayerArrays(Arguments& a, const char* name, size_t perLayer)
    : name_(name), arrays_(a.floatArrays(name, counts_)) {
  if (arrays_.empty() || arrays_.size() % perLayer)
    throwArgumentError(name_ + " has " + decimal(arrays_.size()) + " entries; expected " + decimal(perLayer) +
                       " for each layer");
  layers_ = arrays_.size() / perLayer;
}

float* LayerArrays::next(int64_t count, bool mayBeEmpty) {
  const size_t i = next_++;
  if (counts_[i] == 0 && mayBeEmpty) return nullptr;
  if (counts_[i] != count)
    throwArgumentError(name_ + "[" + decimal(i) + "] has " + decimal(counts_[i]) + " elements; expected " +
                       decimal(count));
  return arrays_[i];
}

PackedEncoderLayer LayerArrays::packedLayer(const EncoderLayerShape& shape, Precision precision, bool mayLackQkv) {
  const int64_t C = shape.hiddenSize, I = shape.intermediateSize;
  PackedEncoderLayer packed;
  packed.qkv = next(packedFloats(C, 3 * C, precision), mayLackQkv);
  packed.projection = next(packedFloats(C, C, precision), false);
  packed.up = next(packedFloats(C, I, precision), false);
  packed.down = next(packedFloats(I, C, precision), false);
  return packed;
}

}  // namespace vitral::exported
