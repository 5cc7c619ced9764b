// A group of processes as JavaScript holds it: a thread that carries out what is begun, and the promise of each. While
// a promise is open the event loop is kept alive, and so are the group and the memory it was given.
#pragma once

#include <functional>
#include <memory>

#include "../collectives/communicator.h"
#include "arguments.h"

namespace vitral {

struct Promised : Communicator::Job {
  napi_deferred deferred = nullptr;
  napi_ref memory = nullptr;
  std::function<void(Transport&)> work;
  std::function<napi_value(napi_env)> result;

  void run(Transport& transport) override {
    if (work) work(transport);
  }
};

// What begins in a group runs in that order. It belongs to its handle.
class Group {
 public:
  // Returns the handle, which owns the group.
  static napi_value make(napi_env env, int worldSize, Communicator::Connect connect);

  const int worldSize;

  // Returns the promise.
  napi_value begin(std::unique_ptr<Promised> job, napi_value memory = nullptr);
  // With the reason of a failure of this process, if any, which the others are told.
  napi_value close(const std::string& reason);
  // What waits has failed after this.
  void interrupt();

 private:
  Group(napi_env env, int size) : worldSize(size), env_(env) {}
  napi_value promise(std::unique_ptr<Promised>& job);
  void keepAlive();
  void letGo();
  void end();
  void endNow();
  static void atExit(void* group);
  static void finished(napi_env env, napi_value, void* group, void* job);
  static void settle(napi_env env, const Promised& job);

  napi_env env_;
  napi_threadsafe_function settle_ = nullptr;
  napi_ref handle_ = nullptr;  // strong while a promise is open
  int open_ = 0;
  bool closing_ = false, hooked_ = false;
  std::unique_ptr<Communicator> communicator_;
};

}  // namespace vitral
