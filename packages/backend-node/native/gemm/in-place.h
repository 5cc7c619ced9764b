// Which operands a product reads where they lie, instead of packing them first.
#pragma once

namespace vitral::VITRAL_ISA {

struct InPlace {
  bool left = false, right = false;
};

}  // namespace vitral::VITRAL_ISA
