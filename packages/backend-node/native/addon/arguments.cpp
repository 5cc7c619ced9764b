// What checking arguments takes, whatever host they come from.
#include "arguments.h"

#include <cmath>

namespace vitral {

std::string decimal(int64_t number) {
  char digits[24], *first = digits + sizeof digits;  // by hand: std::to_string would bring WebAssembly a printf
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  do *--first = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) *--first = '-';
  return std::string(first, digits + sizeof digits);
}

int64_t elements(std::initializer_list<int64_t> dimensions) {
  int64_t product = 1;
  bool empty = false;
  for (const int64_t dimension : dimensions) {
    // The sizes beside an empty one count too: kernels multiply them, and divide by the product.
    if (dimension == 0) empty = true;
    else if (__builtin_mul_overflow(product, dimension, &product) || product > (int64_t)1 << 62)
      throwArgumentError("the dimensions are too large");
  }
  return empty ? 0 : product;
}

int64_t Arguments::sizeOrZero(const char* name) {
  const double value = number(name);
  if (!(value >= 0 && value <= 1099511627776.0 && std::floor(value) == value))
    failNumber(name, value, "a whole number from 0 to 2^40");
  return (int64_t)value;
}

int64_t Arguments::size(const char* name) {
  const int64_t value = sizeOrZero(name);
  if (value == 0) fail(name, "is 0; expected a positive number");
  return value;
}

uint32_t Arguments::bits(const char* name) {
  const double value = number(name);
  if (!std::isfinite(value)) fail(name, "is not finite");
  return (uint32_t)(int64_t)std::fmod(value, 4294967296.0);
}

Drops Arguments::drops(const char* name, int64_t rows) {
  Arguments given = object(name);
  Drops drops;
  drops.dropoutProbability = given.number("dropoutProbability");
  drops.dropoutSeed = given.bits("dropoutSeed");
  drops.dropPathProbability = given.number("dropPathProbability");
  drops.dropPathSeed = given.bits("dropPathSeed");
  const int64_t samples = given.sizeOrZero("samples");
  if (rows > 0 && (samples == 0 || rows % samples != 0)) given.fail("samples", "does not divide the rows");
  if (rows > 0) drops.rowsPerSample = rows / samples;
  return drops;
}

FloatOrBf16 Arguments::numbers(const char* name, int64_t count) {
  const FloatOrBf16Out numbers = numbersOut(name, count);
  return numbers.bf16 ? FloatOrBf16(numbers.bf16) : FloatOrBf16(numbers.floats);
}

}  // namespace vitral
