// For a process that is of no use without the one that started it.
#pragma once

namespace vitral {

// From now on this process is ended when the one that started it has ended: so many seconds later, which it has to end
// by itself and to leave nothing, and however long its thread computes. Takes SIGALRM. Whether that will be: Linux
// alone has it.
bool endWithParent(unsigned seconds);

}  // namespace vitral
