// The functions of images. They run in the thread that calls them, and start no other.
#include <cmath>

#include "../images/jpeg.h"
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

namespace {

ImageShape imageShape(Arguments& a) {
  ImageShape shape;
  shape.height = a.size("height");
  shape.width = a.size("width");
  shape.channels = a.size("channels");
  elements({shape.height, shape.width, shape.channels});
  if (shape.height > INT32_MAX || shape.width > INT32_MAX) throwArgumentError("the image is too large");
  return shape;
}

double finite(Arguments& a, const char* name) {
  const double value = a.number(name);
  if (!std::isfinite(value)) throwArgumentError(std::string(name) + " is not finite");
  return value;
}

int32_t byteNumber(Arguments& a, const char* name) {
  const double value = a.number(name);
  if (!(value >= -255 && value <= 255)) throwArgumentError(std::string(name) + " is not from -255 to 255");
  return (int32_t)value;
}

napi_value project(Arguments& a, ProjectImage* kernel) {
  const ImageShape shape = imageShape(a);
  const uint8_t* x = a.bytes("source", shape.bytes());
  AffineMap map;
  for (double* entry : {&map.a, &map.b, &map.c, &map.d, &map.e, &map.f}) *entry = finite(a, "map");
  kernel(shape, x, map, a.bytes("output", shape.bytes()));
  return nullptr;
}

}  // namespace

napi_value resizeImage(Arguments& a) {
  const ImageShape shape = imageShape(a);
  const uint8_t* x = a.bytes("source", shape.bytes());
  const int64_t height = a.size("newHeight"), width = a.size("newWidth");
  const int64_t filter = a.size("filter");
  if (filter < (int)Filter::lanczos || filter > (int)Filter::hamming) throwArgumentError("filter is not from 1 to 5");
  uint8_t* y = a.bytes("output", elements({height, width, shape.channels}));
  kernels().resizeImage(shape, x, height, width, (Filter)filter, y);
  return nullptr;
}

napi_value hasJpegDecoder(Arguments& a) {
  napi_value result;
  check(napi_get_boolean(a.env(), vitral::hasJpegDecoder(), &result));
  return result;
}

napi_value decodeJpeg(Arguments& a) {
  const int64_t size = a.size("size");
  const uint8_t* file = a.bytes("file", size);
  const int64_t width = a.size("width"), height = a.size("height");
  if (width > UINT16_MAX || height > UINT16_MAX) throwArgumentError("the image is too large");
  uint8_t* rgb = a.bytes("rgb", elements({height, width, 3}));
  napi_value result;
  check(napi_get_boolean(a.env(), vitral::decodeJpeg(file, (size_t)size, (int)width, (int)height, rgb), &result));
  return result;
}

napi_value flipRows(Arguments& a) {
  const ImageShape shape = imageShape(a);
  const uint8_t* x = a.bytes("source", shape.bytes());
  kernels().flipRows(shape.height, shape.width, shape.channels, x, a.bytes("output", shape.bytes()));
  return nullptr;
}

napi_value projectNearest(Arguments& a) { return project(a, kernels().projectNearest); }
napi_value projectNearestInFloat(Arguments& a) { return project(a, kernels().projectNearestInFloat); }
napi_value projectBilinear(Arguments& a) { return project(a, kernels().projectBilinear); }

napi_value blendWithGrey(Arguments& a) {
  const int64_t n = a.sizeOrZero("size");
  const uint8_t* x = a.bytes("source", n);
  const int32_t grey = byteNumber(a, "grey");
  const float share = (float)a.number("share");
  kernels().blendWithGrey(n, x, grey, share, a.bytes("output", n));
  return nullptr;
}

napi_value blendWithLuma(Arguments& a) {
  const int64_t n = a.sizeOrZero("pixels");
  const uint8_t* x = a.bytes("source", elements({n, 3}));
  const float share = (float)a.number("share");
  kernels().blendWithLuma(n, x, share, a.bytes("output", elements({n, 3})));
  return nullptr;
}

napi_value adjustHue(Arguments& a) {
  const int64_t n = a.sizeOrZero("pixels");
  const uint8_t* x = a.bytes("source", elements({n, 3}));
  const int32_t shift = byteNumber(a, "shift");
  kernels().adjustHue(n, x, shift, a.bytes("output", elements({n, 3})));
  return nullptr;
}

napi_value luma(Arguments& a) {
  const int64_t n = a.sizeOrZero("pixels");
  const uint8_t* x = a.bytes("source", elements({n, 3}));
  kernels().luma(n, x, a.bytes("output", n));
  return nullptr;
}

napi_value lumaSum(Arguments& a) {
  const int64_t n = a.sizeOrZero("pixels");
  return toJs(a.env(), (double)kernels().lumaSum(n, a.bytes("source", elements({n, 3}))));
}

napi_value applyLut(Arguments& a) {
  const int64_t n = a.sizeOrZero("pixels"), channels = a.size("channels");
  const uint8_t* x = a.bytes("source", elements({n, channels}));
  const float* table = a.floats("table", elements({channels, 256}));
  kernels().applyLut(n, channels, x, table, a.floats("output", elements({channels, n})));
  return nullptr;
}

}  // namespace vitral::exported
