// Turning hue. Where PIL computes in single and where in double precision decides bytes, so each step says which.
#include "color.h"
#include "pixel-block.h"

namespace vitral::VITRAL_ISA {

namespace {

// Of a byte of hue, before the turn: where it is on the wheel after it.
struct Wheel {
  double part[256];   // its place within its sixth of the wheel, counted from the end in the even sixths
  int32_t even[256];  // whether the sixth is
  int32_t roles[256];

  explicit Wheel(int32_t shift) {
    // For R, G and B from the lowest bits on: 1 is the largest channel, 2 the middle one, 0 the least.
    constexpr int32_t rolesOf[6] = {0b001001, 0b000110, 0b100100, 0b011000, 0b010010, 0b100001};
    for (int hue = 0; hue < 256; hue++) {
      const double sixths = ((hue + shift) & 255) * 6 / 255.0;
      const int32_t sixth = (int32_t)sixths;
      const float along = (float)(sixths - sixth);
      even[hue] = sixth % 2 == 0;
      part[hue] = even[hue] ? 1 - (double)along : (double)along;
      roles[hue] = rolesOf[sixth % 6];
    }
  }
};

// The hue's byte: that of the largest channel's own colour, a sixth on towards the middle one, less what lacks of it.
VITRAL_INLINE int32_t hueByte(int32_t r, int32_t g, int32_t b, int32_t largest, int32_t least) {
  const int32_t range = largest - least;
  const float toMiddle = (float)(2 * largest + least - (r + g + b)) / (float)(range + (range == 0));
  // Of two equal channels the order below decides which is the larger: their hues are the same but for rounding.
  const int32_t blueLeads = r >= g ? b > r : b > g;
  const int32_t own = blueLeads ? 4 : r >= g ? 0 : 2;
  const int32_t ahead = r >= g ? (b <= g) | blueLeads : (b > r) & (b <= g);  // the middle one lies ahead on the wheel
  const float sixths = ahead ? (float)(own + 1) - toMiddle : (float)(own - 1) + toMiddle;
  const double turns = (double)sixths / 6 + 1;
  const float turn = (float)(turns >= 1 ? turns - 1 : turns);
  return (int32_t)((double)turn * 255);
}

VITRAL_INLINE int32_t byRole(int32_t role, int32_t largest, int32_t middle, int32_t least) {
  return role & 1 ? largest : role & 2 ? middle : least;
}

}  // namespace

void turnHue(int64_t n, const uint8_t* x, int32_t shift, uint8_t* y) {
  const Wheel wheel(shift);
  changeBlocks(n, x, y, [&](PixelBlock& block) {
    alignas(64) int32_t hue[PixelBlock::pixels], largest[PixelBlock::pixels];
    alignas(64) float saturation[PixelBlock::pixels];
    for (int i = 0; i < PixelBlock::pixels; i++) {
      const int32_t r = block.r[i], g = block.g[i], b = block.b[i];
      const int32_t rg = r > g ? r : g, top = rg > b ? rg : b;
      const int32_t lower = r < g ? r : g, least = lower < b ? lower : b;
      hue[i] = hueByte(r, g, b, top, least);
      const float ratio = (float)(top - least) / (float)(top + (top == 0));
      saturation[i] = (float)(int32_t)((double)ratio * 255) / 255.0f;
      largest[i] = top;
    }
    for (int i = 0; i < PixelBlock::pixels; i++) {
      const double product = (double)saturation[i] * wheel.part[hue[i]];
      const double share = wheel.even[hue[i]] ? product : (double)(float)product;  // as PIL has it
      const int32_t top = largest[i], roles = wheel.roles[hue[i]];
      const int32_t middle = (int32_t)(top * (1 - share) + 0.5);
      const int32_t least = (int32_t)(top * (1 - (double)saturation[i]) + 0.5);
      block.r[i] = byRole(roles, top, middle, least);
      block.g[i] = byRole(roles >> 2, top, middle, least);
      block.b[i] = byRole(roles >> 4, top, middle, least);
    }
  });
}

}  // namespace vitral::VITRAL_ISA
