// Adjusts the hue. Where PIL computes in single and where in double precision decides bytes. Double precision that
// makes no difference is left out here: a test of @vitral/datasets goes through all the colours there are.
#include "color.h"
#include "pixel-block.h"

namespace vitral::VITRAL_ISA {

namespace {

constexpr int32_t evenSixth = 1 << 6;

// Where each byte of hue lies on the wheel once it is shifted.
struct Wheel {
  double part[256];    // its place within its sixth of the wheel, counted from the end in the even sixths
  int32_t roles[256];  // which channel is largest, middle and least, and whether the sixth is even

  explicit Wheel(int32_t shift) {
    // For R, G and B from the lowest bits on: 1 is the largest channel, 2 the middle one, 0 the least.
    constexpr int32_t rolesOf[6] = {0b001001, 0b000110, 0b100100, 0b011000, 0b010010, 0b100001};
    for (int hue = 0; hue < 256; hue++) {
      const double sixths = ((hue + shift) & 255) * 6 / 255.0;
      const int32_t sixth = (int32_t)sixths;
      const float along = (float)(sixths - sixth);
      const bool even = sixth % 2 == 0;
      part[hue] = even ? 1 - (double)along : (double)along;
      roles[hue] = rolesOf[sixth % 6] | (even ? evenSixth : 0);
    }
  }
};

// The hue's byte: that of the largest channel's own colour, a sixth on towards the middle one, less what lacks of it.
VITRAL_INLINE int32_t hueByte(int32_t r, int32_t g, int32_t b, int32_t largest, int32_t least) {
  const int32_t range = largest - least;
  const float toMiddle = (float)(2 * largest + least - (r + g + b)) / (float)(range + (range == 0));
  // The order below decides which of two equal channels is the larger: their hues are the same but for rounding.
  const int32_t blueLeads = r >= g ? b > r : b > g;
  const int32_t own = blueLeads ? 4 : r >= g ? 0 : 2;
  const int32_t ahead = r >= g ? (b <= g) | blueLeads : (b > r) & (b <= g);  // the middle one lies ahead on the wheel
  const float sixths = ahead ? (float)(own + 1) - toMiddle : (float)(own - 1) + toMiddle;
  const float turns = sixths / 6;
  return (int32_t)((turns < 0 ? turns + 1 : turns) * 255);
}

VITRAL_INLINE int32_t byRole(int32_t role, int32_t largest, int32_t middle, int32_t least) {
  return role & 1 ? largest : role & 2 ? middle : least;
}

}  // namespace

void adjustHue(int64_t n, const uint8_t* x, int32_t shift, uint8_t* y) {
  const Wheel wheel(shift);
  changeBlocks(n, x, y, [&](PixelBlock& block) {
    constexpr int count = PixelBlock::pixels;
    int32_t hue[count], largest[count], roles[count];
    float saturation[count];
    double part[count];
    for (int i = 0; i < count; i++) {
      const int32_t r = block.r[i], g = block.g[i], b = block.b[i];
      const int32_t rg = r > g ? r : g, top = rg > b ? rg : b;
      const int32_t lower = r < g ? r : g, least = lower < b ? lower : b;
      hue[i] = hueByte(r, g, b, top, least);
      const float ratio = (float)(top - least) / (float)(top + (top == 0));
      saturation[i] = (float)(int32_t)(ratio * 255) / 255;
      largest[i] = top;
    }
    for (int i = 0; i < count; i++) {  // look-ups, apart: they would keep the rest from becoming vectors
      part[i] = wheel.part[hue[i]];
      roles[i] = wheel.roles[hue[i]];
    }
    for (int i = 0; i < count; i++) {
      const double product = (double)saturation[i] * part[i];
      const double share = roles[i] & evenSixth ? product : (double)(float)product;  // as PIL has it
      const int32_t top = largest[i];
      const int32_t middle = (int32_t)(top * (1 - share) + 0.5);
      const int32_t least = (int32_t)((float)top * (1 - saturation[i]) + 0.5f);
      block.r[i] = byRole(roles[i], top, middle, least);
      block.g[i] = byRole(roles[i] >> 2, top, middle, least);
      block.b[i] = byRole(roles[i] >> 4, top, middle, least);
    }
  });
}

}  // namespace vitral::VITRAL_ISA
