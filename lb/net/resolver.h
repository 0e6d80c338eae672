// Resolves names off the loop: getaddrinfo on one helper thread, answers on the loop in a later
// turn. Keeps nsswitch, hosts and search rules right. Numeric addresses never touch the thread.
// Owned on its loop's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "weir/address.h"
#include "weir/result.h"

#include "lb/net/event_loop.h"
#include "lb/net/socket.h"

namespace weir {

using ResolvedAddresses = Result<std::vector<SocketAddress>, Problem>;

class ResolverUser {
 public:
  virtual void on_resolved(const Address& address, const ResolvedAddresses& result) = 0;

 protected:
  ~ResolverUser() = default;
};

class Resolver {
 public:
  static constexpr size_t kMostWaiting = 4096;  // questions; more are answered with a Problem

  Resolver(EventLoop& loop, ResolverUser& user);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();  // waits for the look-up that is running

  void ask(const Address& address);

 private:
  struct Answer {
    Address address;
    ResolvedAddresses result;
  };
  void work();
  void on_answers();

  ResolverUser& user_;
  Task answered_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Address> questions_;  // guarded by mutex_, as the two below
  std::vector<Answer> answers_;
  bool is_stopping_ = false;
  std::thread thread_;  // started by the first question
};

}  // namespace weir
