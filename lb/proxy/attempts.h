// What one request has been through: how often it was sent, who failed it, whether it is tried once
// more and at whom. Decides, and pays for a second send from the retry budget; does no I/O. Owned
// by an Exchange. Loop thread only.
#pragma once

#include <optional>

#include "weir/error.h"

#include "lb/balance/balancer.h"
#include "lb/balance/retry.h"
#include "lb/http/message_head.h"
#include "lb/proxy/proxy_options.h"

namespace weir {

class Attempts {
 public:
  Attempts(Balancer& balancer, const ProxyOptions& options)
      : balancer_(balancer), options_(options) {}
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  void start(http::Method method, bool is_repeatable);
  void note_send() { ++sends_; }

  struct Failure {
    Error error;
    Progress progress;
    BackendSerial at;
    bool is_body_held;
  };
  // True: it is to be tried again by wish(). At most once a failure: it takes from the budget.
  bool tries_again(const Failure& failure, TimePoint now);

  int sends() const { return sends_; }
  const Wish& wish() const { return wish_; }
  // After a failure, whatever it was, the next connection is a fresh one.
  bool may_reuse() const { return !reason_.has_value(); }
  const std::optional<Error>& reason() const { return reason_; }  // why it is being tried again

 private:
  RetryVerdict judge(const Failure& failure) const;
  bool pays(RetryVerdict verdict, TimePoint now);

  Balancer& balancer_;
  const ProxyOptions& options_;
  Wish wish_;
  std::optional<Error> reason_;
  uint8_t excluded_ = 0;  // of wish_
  int sends_ = 0;
  int paid_ = 0;    // sends after the first
  int deaths_ = 0;  // backends that died of it
  int most_sends_ = 1;
  bool is_repeatable_ = false;
};

}  // namespace weir
