// JPEG files to RGB, by the libjpeg-turbo that is installed (Debian: libturbojpeg0): the library by which PIL decodes,
// with the same bytes. It is loaded when it is first asked for, and nothing of it is needed to compile this.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitral {

bool hasJpegDecoder();

// Fills width·height·3 bytes, row by row. False where the file is of another size, where it is damaged or the library
// has anything else to say of it, and where there is none.
bool decodeJpeg(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb);

}  // namespace vitral
