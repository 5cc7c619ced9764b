// The kernel sends the signal when the parent ends. It sets an alarm, whose signal, by then nobody's to handle, ends
// the process: no thread of this process has to come to anything for that.
#include "end-with-parent.h"

#if defined(__linux__)
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace vitral {

namespace {

pid_t parent;
unsigned secondsLeft;

// Also sent when the thread that started this process has ended, and not its process.
void onParentsEnd(int) {
  if (getppid() == parent) return;
  signal(SIGALRM, SIG_DFL);
  alarm(secondsLeft);
}

}  // namespace

bool endWithParent(unsigned seconds) {
  parent = getppid();
  secondsLeft = seconds;
  struct sigaction action = {};
  action.sa_handler = onParentsEnd;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGALRM, &action, nullptr) || prctl(PR_SET_PDEATHSIG, SIGALRM)) return false;
  if (getppid() != parent) raise(SIGALRM);  // it has just ended
  return true;
}

}  // namespace vitral

#else
bool vitral::endWithParent(unsigned) { return false; }
#endif
