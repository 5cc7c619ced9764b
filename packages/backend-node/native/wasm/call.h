// The beginning of a call from the host.
#pragma once

namespace vitral {

// What containers of the call before held is given up.
void beginCall();

}  // namespace vitral
