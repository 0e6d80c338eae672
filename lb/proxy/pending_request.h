// What an exchange needs until its answer has begun and no longer: the request to send, what has
// been tried, its place in line, what is held of the answer. Pooled, so that an open stream does
// not carry it along. Owned by an Exchange, else by its ProxyContext. Loop thread only.
#pragma once

#include <string>

#include "weir/callback.h"

#include "lb/balance/balancer.h"
#include "lb/proxy/attempts.h"
#include "lb/proxy/request_facts.h"

namespace weir {

struct PendingRequest {
  PendingRequest(Balancer& balancer, const ProxyOptions& options)
      : attempts(balancer, options), place(bind<&PendingRequest::on_place_answer>(this)) {}

  RequestDraft draft;
  std::string backend_id;  // of the last attempt
  std::string small_body;
  std::string held;  // of the answer, until the client may see it
  Attempts attempts;
  Place place;  // held while waiting
  Callback<> on_placed;

  // Before it is kept for another request: a little memory stays.
  void trim() {
    draft.trim();
    for (std::string* text : {&small_body, &held}) {
      text->clear();
      if (text->capacity() > kKeptBytes) text->shrink_to_fit();
    }
  }

 private:
  static constexpr size_t kKeptBytes = 16 * 1024;
  void on_place_answer() { on_placed(); }
};

}  // namespace weir
