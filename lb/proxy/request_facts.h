// What an exchange keeps of its request when the bytes of the head are gone: what it decides by,
// what its report says, and, while it may still be sent, the head in our own words. Owned by an
// Exchange. Loop thread only.
#pragma once

#include <string>
#include <string_view>

#include "weir/observer.h"

#include "lb/http/head_rewriter.h"
#include "lb/http/message_head.h"
#include "lb/http/path_policy.h"
#include "lb/proxy/proxy_options.h"

namespace weir {

struct ClientPeer {
  std::string_view address;
  bool is_trusted_proxy = false;
};

// The head on its way to a backend. Some kilobytes; an exchange needs one until its answer has
// begun.
struct RequestDraft {
  http::RewrittenRequest request;
  std::string head;  // as sent to this backend
  size_t sent = 0;   // of head

  bool is_sent() const { return sent == head.size(); }
  void trim();  // before it is kept for another request: a little memory stays
};

struct RequestFacts {
  http::Method method = http::Method::get;
  http::ApiShape shape = http::ApiShape::openai;
  int client_minor_version = 1;
  bool is_repeatable = false;
  bool is_inference = false;
  bool client_keeps_alive = true;
  bool accepts_trailers = false;
  http::Framing framing;

  // Valid until the next take() or release().
  std::string_view id() const { return text(0, id_end_); }
  std::string_view path() const { return text(id_end_, path_end_); }
  std::string_view client() const { return client_; }
  // The protocol that the backend is asked for; empty = none.
  std::string_view upgrade() const { return text(path_end_, texts_.size()); }

  // Copies what it needs, but for the peer's address: that lives until release().
  void take(const http::RequestHead& head, const http::PathVerdict& verdict, const ClientPeer& peer,
            std::string_view its_id, const ProxyOptions& options);
  void write(const http::RequestHead& head, const ClientPeer& peer, const ProxyOptions& options,
             RequestDraft* draft) const;
  void tell(ExchangeReport* report) const;
  void release();  // keeps a little memory for the next request

 private:
  std::string_view text(size_t begin, size_t end) const {
    return {texts_.data() + begin, end - begin};
  }

  std::string texts_;  // id, path, protocol
  size_t id_end_ = 0;
  size_t path_end_ = 0;
  std::string_view client_;
};

}  // namespace weir
