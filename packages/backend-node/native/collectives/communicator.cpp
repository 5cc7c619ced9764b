#include "communicator.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace vitral {

// The thread owns it, too: it may outlive the communicator by the call that it is in.
struct Communicator::State {
  Connect connect;
  Finished finished;
  std::atomic<bool> interrupted{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<Job>> jobs;
  std::string reason;  // of a failure of this process, when the last job has been begun
  bool busy = false, lastBegun = false, stopped = false, ended = false;
  std::unique_ptr<Transport> transport;  // the thread's while it is busy
  std::exception_ptr failure;
  std::thread thread;

  void work();
  void attempt(Job& job, const std::function<void()>& body);
};

void Communicator::State::attempt(Job& job, const std::function<void()>& body) {
  try {
    if (!failure) body();
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  job.failure = failure;
}

void Communicator::State::work() {
#if defined(__linux__)
  prctl(PR_SET_NAME, "vitral-ranks");
#endif
  std::unique_lock<std::mutex> lock(mutex);
  for (bool last = false; !last;) {
    changed.wait(lock, [&] { return stopped || !jobs.empty(); });
    if (stopped) break;
    std::unique_ptr<Job> job = std::move(jobs.front());
    jobs.pop_front();
    busy = true;
    last = lastBegun && jobs.empty();
    lock.unlock();
    if (last) {
      if (transport && !reason.empty()) transport->leave({reason});
      transport.reset();
    } else
      attempt(*job, [&] {
        if (!transport) transport = connect(interrupted);
        job->run(*transport);
      });
    lock.lock();
    // Under the lock: after stop() there may be nobody to tell.
    if (!stopped) finished(std::move(job));
    busy = false;
    changed.notify_all();
  }
  lock.unlock();
  transport.reset();
  lock.lock();
  ended = true;
  changed.notify_all();
}

Communicator::Communicator(Connect connect, Finished finished) : state_(std::make_shared<State>()) {
  state_->connect = std::move(connect);
  state_->finished = std::move(finished);
  state_->thread = std::thread([state = state_] { state->work(); });
}

Communicator::~Communicator() { stop(); }

void Communicator::begin(std::unique_ptr<Job> job) { add(std::move(job), false); }

void Communicator::beginLast(std::unique_ptr<Job> job, const std::string& reason) { add(std::move(job), true, reason); }

bool Communicator::runAtOnce(Job& job) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  State& state = *state_;
  if (state.busy || !state.jobs.empty() || !state.transport || !state.transport->isAtOnce(job.size)) return false;
  state.attempt(job, [&] { job.run(*state.transport); });
  return true;
}

void Communicator::interrupt() {
  state_->interrupted = true;
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait_for(lock, std::chrono::seconds(1), [&] { return !state_->busy && state_->jobs.empty(); });
}

void Communicator::add(std::unique_ptr<Job> job, bool last, const std::string& reason) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->lastBegun) throw std::runtime_error("these collectives have been closed");
  state_->jobs.push_back(std::move(job));
  state_->lastBegun = last;
  state_->reason = reason;
  state_->changed.notify_all();
}

void Communicator::stop() {
  if (!state_->thread.joinable()) return;
  state_->interrupted = true;
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, std::chrono::seconds(1), [&] { return state_->ended; });
  lock.unlock();
  if (ended) state_->thread.join();
  else state_->thread.detach();
}

}  // namespace vitral
