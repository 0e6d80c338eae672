// The body of a request on its way to a backend: what has come, what has been sent, and whether all
// of it is still here so that it can be sent again. Holds wire bytes (a chunked body is re-chunked
// by us). Owned by an Exchange. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lb/http/message_head.h"
#include "lb/net/stream.h"
#include "lb/proxy/body_store.h"
#include "lb/proxy/request_facts.h"

namespace weir {

class RequestBody {
 public:
  explicit RequestBody(BlockPool& blocks) : bytes_(blocks) {}

  // `small`: where a small body is kept; must live until clear() or forget_small().
  void start(http::Framing framing, size_t replay_bytes, bool is_repeatable, std::string* small);

  enum class Added : uint8_t { ok, out_of_memory };
  Added add(std::string_view data);  // content, not framing
  // Instead of add(), for a body of known length: room to read into, then how much was read.
  int make_room(iovec* pieces, int max, uint64_t most);
  void grow(size_t bytes);
  Added finish();  // the client has sent all of it

  // Sends what is left of the head and the body as far as the connection takes them; no draft: the
  // head was sent.
  enum class Pumped : uint8_t { all_sent, blocked, waits_for_client, failed };
  Pumped pump(Stream& backend, RequestDraft* draft);

  // Only a request that is safe to repeat is held; one without a body then always is, until
  // stop_holding().
  bool is_held() const { return is_held_; }          // can be sent again from the start
  bool is_complete() const { return is_complete_; }  // by the client
  bool was_touched() const { return sent_ > 0 || dropped_ > 0; }
  uint64_t received() const { return received_; }  // content bytes
  size_t unsent() const { return bytes_.size() - sent_; }
  // Enough is waiting here: the client's socket is not to be read for now.
  bool is_full() const;

  void rewind() { sent_ = 0; }  // for another attempt; only while held
  void stop_holding();          // the response has begun: what was sent is not needed again
  void forget_small() { bytes_.set_small(nullptr); }  // all was sent and nothing is held
  void clear();

 private:
  void drop_sent();

  BodyStore bytes_;
  size_t sent_ = 0;       // of bytes_
  uint64_t dropped_ = 0;  // sent and thrown away
  uint64_t received_ = 0;
  size_t replay_bytes_ = 0;
  http::BodyKind kind_ = http::BodyKind::none;
  bool is_held_ = false;
  bool is_complete_ = false;
};

}  // namespace weir
