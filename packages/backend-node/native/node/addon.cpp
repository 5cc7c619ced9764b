// The table of what JavaScript can call, and the one place where exceptions become JavaScript errors.
#include "exports.h"

#include <new>

namespace vitral {

namespace {

struct Export {
  const char* name;
  napi_value (*function)(Arguments&);
};

// Calls the export that the function object carries as its data.
napi_value call(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  const Export& entry = *static_cast<const Export*>(data);
  try {
    Arguments arguments(env, info);
    return entry.function(arguments);
  } catch (const ArgumentError& error) {
    napi_throw_type_error(env, nullptr, (std::string(entry.name) + ": " + error.what()).c_str());
  } catch (const OutOfMemory& error) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", (std::string(entry.name) + ": " + error.what()).c_str());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", (std::string(entry.name) + ": out of memory").c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, (std::string(entry.name) + ": " + error.what()).c_str());
  }
  return nullptr;
}

const Export exports[] = {
    {"allocate", exported::allocate},
    {"discard", exported::discard},
    {"threads", exported::threads},
    {"setThreads", exported::setThreads},
    {"instructionSet", exported::instructionSet},
    {"multiplyAdd", exported::multiplyAdd},
    {"patchEmbed", exported::patchEmbed},
    {"patchEmbedGrad", exported::patchEmbedGrad},
    {"embedTokens", exported::embedTokens},
    {"embedTokensGrad", exported::embedTokensGrad},
    {"maskTokens", exported::maskTokens},
    {"maskTokensGrad", exported::maskTokensGrad},
    {"selectToken", exported::selectToken},
    {"selectTokenGrad", exported::selectTokenGrad},
    {"interpolatePositions", exported::interpolatePositions},
    {"interpolatePositionsGrad", exported::interpolatePositionsGrad},
    {"layerNorm", exported::layerNorm},
    {"layerNormGrad", exported::layerNormGrad},
    {"packedLinearFloats", exported::packedLinearFloats},
    {"packLinear", exported::packLinear},
    {"linear", exported::linear},
    {"linearGrad", exported::linearGrad},
    {"packQkv", exported::packQkv},
    {"qkv", exported::qkv},
    {"qkvGrad", exported::qkvGrad},
    {"attention", exported::attention},
    {"attentionGrad", exported::attentionGrad},
    {"classAttentionFloats", exported::classAttentionFloats},
    {"classAttention", exported::classAttention},
    {"classAttentionGrad", exported::classAttentionGrad},
    {"encoderFloats", exported::encoderFloats},
    {"encoder", exported::encoder},
    {"encoderLayerFloats", exported::encoderLayerFloats},
    {"encoderLayer", exported::encoderLayer},
    {"encoderLayerGrad", exported::encoderLayerGrad},
    {"gelu", exported::gelu},
    {"geluGrad", exported::geluGrad},
    {"dropRows", exported::dropRows},
    {"crossEntropy", exported::crossEntropy},
    {"crossEntropyGrad", exported::crossEntropyGrad},
    {"gradNorm", exported::gradNorm},
    {"unscale", exported::unscale},
    {"adamStep", exported::adamStep},
    {"sgdStep", exported::sgdStep},
    {"lionStep", exported::lionStep},
    {"add", exported::add},
    {"subtract", exported::subtract},
    {"multiply", exported::multiply},
    {"softmax", exported::softmax},
    {"matMul", exported::matMul},
    {"resizeImage", exported::resizeImage},
    {"flipRows", exported::flipRows},
    {"projectNearest", exported::projectNearest},
    {"projectNearestInFloat", exported::projectNearestInFloat},
    {"projectBilinear", exported::projectBilinear},
    {"blendWithGrey", exported::blendWithGrey},
    {"blendWithLuma", exported::blendWithLuma},
    {"luma", exported::luma},
    {"lumaSum", exported::lumaSum},
    {"turnHue", exported::turnHue},
    {"lookUpPlanes", exported::lookUpPlanes},
    {"hasJpegDecoder", exported::hasJpegDecoder},
    {"decodeJpeg", exported::decodeJpeg},
    {"connectLocal", exported::connectLocal},
    {"connectMpi", exported::connectMpi},
    {"connectNcclLocally", exported::connectNcclLocally},
    {"connectNcclByMpi", exported::connectNcclByMpi},
    {"connected", exported::connected},
    {"allReduce", exported::allReduce},
    {"broadcast", exported::broadcast},
    {"allGather", exported::allGather},
    {"barrier", exported::barrier},
    {"interruptCollectives", exported::interruptCollectives},
    {"closeCollectives", exported::closeCollectives},
    {"removeLeftSegments", exported::removeLeftSegments},
    {"endWithParent", exported::endWithParent},
};

}  // namespace

}  // namespace vitral

NAPI_MODULE_INIT() {
  for (const vitral::Export& entry : vitral::exports) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, vitral::call, const_cast<vitral::Export*>(&entry), &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
  return exports;
}
