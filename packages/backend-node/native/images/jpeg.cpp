#include "jpeg.h"

#include <dlfcn.h>

#include <initializer_list>
#include <optional>

namespace vitral {

namespace {

// https://libjpeg-turbo.org, TurboJPEG 1.4 and later: accurate DCT and smooth upsampling are what no flags mean.
struct TurboJpeg {
  void* (*initDecompress)() = nullptr;
  int (*readHeader)(void*, const unsigned char*, unsigned long, int*, int*, int*, int*) = nullptr;
  int (*decompress)(void*, const unsigned char*, unsigned long, unsigned char*, int, int, int, int, int) = nullptr;
  int (*destroy)(void*) = nullptr;

  TurboJpeg() {
    for (const char* name : {"libturbojpeg.so.0", "libturbojpeg.0.dylib"}) {
      void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (!library) continue;
      destroy = (decltype(destroy))dlsym(library, "tjDestroy");
      readHeader = (decltype(readHeader))dlsym(library, "tjDecompressHeader3");
      decompress = (decltype(decompress))dlsym(library, "tjDecompress2");
      if (destroy && readHeader && decompress)
        initDecompress = (decltype(initDecompress))dlsym(library, "tjInitDecompress");
      return;
    }
  }
};

const TurboJpeg& turboJpeg() {
  static const TurboJpeg library;
  return library;
}

// Each thread has its own.
class Decompressor {
 public:
  Decompressor() : handle_(turboJpeg().initDecompress()) {}
  ~Decompressor() {
    if (handle_) turboJpeg().destroy(handle_);
  }

  bool decode(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb) const {
    int ownWidth = 0, ownHeight = 0, subsampling = 0, colours = 0;
    if (!handle_ || turboJpeg().readHeader(handle_, file, size, &ownWidth, &ownHeight, &subsampling, &colours))
      return false;
    if (ownWidth != width || ownHeight != height) return false;
    constexpr int rgbPixels = 0;
    return turboJpeg().decompress(handle_, file, size, rgb, width, 0, height, rgbPixels, 0) == 0;
  }

 private:
  void* handle_;
};

}  // namespace

bool hasJpegDecoder() { return turboJpeg().initDecompress != nullptr; }

bool decodeJpeg(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb) {
  if (!hasJpegDecoder()) return false;
  thread_local std::optional<Decompressor> decompressor;
  if (!decompressor) decompressor.emplace();
  const bool decoded = decompressor->decode(file, size, width, height, rgb);
  // After a damaged file it would fail on every other.
  if (!decoded) decompressor.reset();
  return decoded;
}

}  // namespace vitral
