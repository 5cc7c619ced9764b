#include "resize.h"

#include "../runtime/threads.h"
#include "four-bytes.h"
#include "resize-taps.h"

namespace vitral::VITRAL_ISA {

namespace {

constexpr int32_t half = 1 << (weightBits - 1);

VITRAL_INLINE uint8_t toByte(int32_t sum) {
  const int32_t value = sum >> weightBits;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// One output pixel's channel, for images that are not RGB and where four bytes would reach beyond the image.
VITRAL_INLINE uint8_t weigh(const uint8_t* x, int64_t step, const int32_t* weights, int32_t count) {
  int32_t sum = half;
  for (int32_t k = 0; k < count; k++) sum += x[k * step] * weights[k];
  return toByte(sum);
}

void alongRow(const uint8_t* x, int64_t channels, const Taps& taps, uint8_t* y) {
  for (int64_t i = 0; i < taps.size; i++)
    for (int64_t c = 0; c < channels; c++)
      *y++ = weigh(x + taps.first[i] * channels + c, channels, taps.weightsOf(i), taps.count[i]);
}

// The channels of a pixel are three lanes of four. The byte after them is read and weighed too, and what is written
// after a pixel is the next one's to overwrite.
void alongRowRgb(const uint8_t* x, const Taps& taps, uint8_t* y) {
  for (int64_t i = 0; i < taps.size; i++, y += 3) {
    const uint8_t* from = x + 3 * (int64_t)taps.first[i];
    const int32_t* weights = taps.weightsOf(i);
    Vi4 sum = half - Vi4{};
    for (int32_t k = 0; k < taps.count[i]; k++) sum += loadFourBytes(from + 3 * k) * weights[k];
    storeFourBytes(y, sum >> weightBits);
  }
}

void alongRows(const ImageShape& shape, const uint8_t* x, const Taps& taps, uint8_t* y) {
  const int64_t row = shape.width * shape.channels, newRow = taps.size * shape.channels;
  for (int64_t i = 0; i < shape.height; i++) {
    // The fourth byte of a row's last pixel is the next row's first; the last row has none.
    if (shape.channels == 3 && i + 1 < shape.height) alongRowRgb(x + i * row, taps, y + i * newRow);
    else alongRow(x + i * row, shape.channels, taps, y + i * newRow);
  }
}

void alongColumns(const ImageShape& shape, const uint8_t* x, const Taps& taps, uint8_t* y) {
  constexpr int step = 64;
  const int64_t row = shape.width * shape.channels;
  for (int64_t j = 0; j < taps.size; j++, y += row) {
    const uint8_t* from = x + taps.first[j] * row;
    const int32_t* weights = taps.weightsOf(j);
    const int32_t count = taps.count[j];
    int64_t i = 0;
    for (; i + step <= row; i += step) {
      int32_t sums[step];
      for (int b = 0; b < step; b++) sums[b] = half + from[i + b] * weights[0];
      for (int32_t k = 1; k < count; k++)
        for (int b = 0; b < step; b++) sums[b] += from[k * row + i + b] * weights[k];
      for (int b = 0; b < step; b++) y[i + b] = toByte(sums[b]);
    }
    for (; i < row; i++) y[i] = weigh(from + i, row, weights, count);
  }
}

}  // namespace

void resizeImage(const ImageShape& shape, const uint8_t* x, int64_t newHeight, int64_t newWidth, Filter filter,
                 uint8_t* y) {
  const bool otherWidth = newWidth != shape.width, otherHeight = newHeight != shape.height;
  if (!otherWidth && !otherHeight) return (void)std::memcpy(y, x, (size_t)shape.bytes());
  // PIL turns the order round for a very tall image that shrinks; the bytes between the passes depend on it.
  const bool columnsFirst = shape.height > shape.width * 100 && newHeight < shape.height;
  const ImageShape between = columnsFirst ? ImageShape{newHeight, shape.width, shape.channels}
                                          : ImageShape{shape.height, newWidth, shape.channels};
  const TapsLayout rowLayout(shape.width, newWidth, filter), columnLayout(shape.height, newHeight, filter);
  // One after the other: the taps along rows, those along columns, and the image between the passes.
  const int64_t rowInts = (rowLayout.ints() + 1) / 2 * 2, columnInts = columnLayout.ints();
  int32_t* memory = (int32_t*)scratch(Scratch::kernel, rowInts + columnInts + between.bytes() / 4 + 1);
  uint8_t* middle = (uint8_t*)(memory + rowInts + columnInts);
  const auto resizeRows = [&](const ImageShape& from, const uint8_t* source, uint8_t* to) {
    alongRows(from, source, fillTaps(rowLayout, shape.width, filter, memory), to);
  };
  const auto resizeColumns = [&](const ImageShape& from, const uint8_t* source, uint8_t* to) {
    alongColumns(from, source, fillTaps(columnLayout, shape.height, filter, memory + rowInts), to);
  };
  if (!otherHeight) return resizeRows(shape, x, y);
  if (!otherWidth) return resizeColumns(shape, x, y);
  if (columnsFirst) {
    resizeColumns(shape, x, middle);
    resizeRows(between, middle, y);
  } else {
    resizeRows(shape, x, middle);
    resizeColumns(between, middle, y);
  }
}

}  // namespace vitral::VITRAL_ISA
