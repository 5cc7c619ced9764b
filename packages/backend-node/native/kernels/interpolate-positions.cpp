#include "interpolate-positions.h"

#include <cmath>
#include <cstring>

#include "../runtime/lanes.h"

namespace vitral::VITRAL_ISA {

namespace {

// The four neighbours of an output position along one axis, and their weights.
struct Taps {
  int64_t source[4];
  double weight[4];
};

double cubic(double distance) {
  const double a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}

Taps tapsAt(int64_t i, int64_t size, int64_t newSize) {
  const double center = (i + 0.5) * size / newSize - 0.5;
  const int64_t first = (int64_t)std::floor(center) - 1;
  Taps taps;
  for (int k = 0; k < 4; k++) {
    const int64_t at = first + k;
    taps.source[k] = at < 0 ? 0 : (at >= size ? size - 1 : at);
    taps.weight[k] = cubic(std::fabs(center - (double)at));
  }
  return taps;
}

// visit(new position, old position, weight) for the 16 neighbours of every new position.
template <class Visit>
void eachTap(int64_t h, int64_t w, int64_t h2, int64_t w2, Visit visit) {
  for (int64_t y = 0; y < h2; y++) {
    const Taps rows = tapsAt(y, h, h2);
    for (int64_t x = 0; x < w2; x++) {
      const Taps columns = tapsAt(x, w, w2);
      for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++)
          visit(1 + y * w2 + x, 1 + rows.source[r] * w + columns.source[c],
                (float)(rows.weight[r] * columns.weight[c]));
    }
  }
}

void addScaled(int64_t C, float weight, const float* from, float* to) {
  eachOfRow(C,
            [&](int64_t c, int64_t n) { storeSome(to + c, loadSome(to + c, n) + loadSome(from + c, n) * weight, n); });
}

}  // namespace

void interpolatePositionsForward(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* x, float* y) {
  std::memset(y, 0, (1 + h2 * w2) * C * sizeof(float));
  std::memcpy(y, x, C * sizeof(float));
  eachTap(h, w, h2, w2,
          [&](int64_t to, int64_t from, float weight) { addScaled(C, weight, x + from * C, y + to * C); });
}

void interpolatePositionsBackward(int64_t h, int64_t w, int64_t h2, int64_t w2, int64_t C, const float* dy, float* dx) {
  std::memset(dx, 0, (1 + h * w) * C * sizeof(float));
  std::memcpy(dx, dy, C * sizeof(float));
  eachTap(h, w, h2, w2,
          [&](int64_t to, int64_t from, float weight) { addScaled(C, weight, dy + to * C, dx + from * C); });
}

}  // namespace vitral::VITRAL_ISA
