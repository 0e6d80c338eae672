// Threads that take no signals: those are the main loop's.
#pragma once

#include <signal.h>

#include <thread>
#include <utility>

namespace weir {

// As std::thread's constructor, on any thread.
template <typename... Body>
std::thread thread_without_signals(Body&&... body) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::forward<Body>(body)...);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace weir
