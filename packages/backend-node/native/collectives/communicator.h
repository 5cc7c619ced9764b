// A thread of its own for the collectives of one run: it carries out what is begun, in that order, beside whoever began
// it, and sleeps in between.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "transport.h"

namespace vitral {

class Communicator {
 public:
  struct Job {
    virtual ~Job() = default;
    virtual void run(Transport&) = 0;  // in the thread, but for runAtOnce
    size_t size = SIZE_MAX;            // bytes that it passes in its one operation; of several it is not known
    std::exception_ptr failure;
  };
  // In the thread, before the first job. Once `interrupted` is set it, and the transport's calls, should throw soon.
  using Connect = std::function<std::unique_ptr<Transport>(const std::atomic<bool>& interrupted)>;
  // In the thread, after each job.
  using Finished = std::function<void(std::unique_ptr<Job>)>;

  // Where connecting fails, every job does, for the same reason; and after a job that fails, every further one.
  Communicator(Connect connect, Finished finished);
  ~Communicator();  // stop()

  // Throws when the last job has been begun.
  void begin(std::unique_ptr<Job> job);
  // Runs a short job here and now, if nothing is before it and all others have come to it: to hand it to the thread,
  // and to be told of its end, takes several times as long. Says whether it has; `finished` is not called then.
  bool runAtOnce(Job& job);
  // The job finishes when all before it have and the transport is gone; it is not run. A reason is of a failure of this
  // process, which the others are told.
  void beginLast(std::unique_ptr<Job> job, const std::string& reason = "");
  // What waits fails before this returns, unless it cannot be interrupted within a second; and so does every further
  // job.
  void interrupt();
  // Ends the thread; no job finishes after this. Where the transport cannot be interrupted, it ends when that returns.
  void stop();

 private:
  struct State;
  void add(std::unique_ptr<Job> job, bool last, const std::string& reason = "");
  std::shared_ptr<State> state_;
};

}  // namespace vitral
