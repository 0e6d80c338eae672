#include "lb/proxy/request_body.h"

#include <algorithm>

#include "weir/assert.h"

#include "lb/http/body_reader.h"
#include "lb/proxy/proxy_options.h"

namespace weir {
namespace {

constexpr int kPieces = 16;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

void RequestBody::start(http::Framing framing, size_t replay_bytes, bool is_repeatable,
                        std::string* small) {
  WEIR_ASSERT(bytes_.is_empty());
  bytes_.set_small(small);
  kind_ = framing.kind;
  replay_bytes_ = replay_bytes;
  // A body that is announced longer than the bound is not worth beginning to keep.
  is_held_ = is_repeatable && (kind_ != http::BodyKind::length || framing.length <= replay_bytes);
  is_complete_ = kind_ == http::BodyKind::none;
  sent_ = 0;
  dropped_ = 0;
  received_ = 0;
}

RequestBody::Added RequestBody::add(std::string_view data) {
  received_ += data.size();
  if (is_held_ && bytes_.size() + data.size() > replay_bytes_) stop_holding();
  if (kind_ == http::BodyKind::chunked) {
    char line[18];
    const size_t n = http::write_chunk_size(data.size(), line);
    if (!bytes_.append({line, n})) return Added::out_of_memory;
    if (!bytes_.append(data) || !bytes_.append("\r\n")) return Added::out_of_memory;
    return Added::ok;
  }
  return bytes_.append(data) ? Added::ok : Added::out_of_memory;
}

int RequestBody::make_room(iovec* pieces, int max, uint64_t most) {
  // What is held was announced to be short enough; else there is room up to the mark.
  if (!is_held_) most = std::min<uint64_t>(most, kHighWater - std::min(unsent(), kHighWater));
  return bytes_.make_room(pieces, max, static_cast<size_t>(most));
}

void RequestBody::grow(size_t bytes) {
  received_ += bytes;
  bytes_.grow(bytes);
}

RequestBody::Added RequestBody::finish() {
  is_complete_ = true;
  if (kind_ != http::BodyKind::chunked) return Added::ok;
  return bytes_.append(kLastChunk) ? Added::ok : Added::out_of_memory;
}

bool RequestBody::is_full() const {
  if (is_held_) return bytes_.size() >= replay_bytes_;
  return unsent() >= kHighWater;
}

RequestBody::Pumped RequestBody::pump(Stream& backend, RequestDraft* draft) {
  // Held chunks fill what may be held, and more may come: to go on they must be let go of.
  const bool may_grow = kind_ == http::BodyKind::chunked && !is_complete_;
  if (is_held_ && may_grow && is_full()) stop_holding();
  for (;;) {
    iovec pieces[kPieces];
    int count = 0;
    size_t wanted = 0;
    const size_t head_left = draft != nullptr ? draft->head.size() - draft->sent : 0;
    if (head_left > 0) pieces[count++] = {draft->head.data() + draft->sent, head_left};
    count += bytes_.peek(pieces + count, kPieces - count, sent_);
    for (int i = 0; i < count; ++i) wanted += pieces[i].iov_len;
    if (wanted == 0) return is_complete_ ? Pumped::all_sent : Pumped::waits_for_client;
    const ssize_t n = backend.write_some(pieces, count);
    if (n < 0) return Pumped::failed;
    if (n == 0) return Pumped::blocked;
    const size_t of_head = std::min(static_cast<size_t>(n), head_left);
    if (of_head > 0) draft->sent += of_head;
    sent_ += static_cast<size_t>(n) - of_head;
    if (!is_held_) drop_sent();
  }
}

void RequestBody::stop_holding() {
  is_held_ = false;
  drop_sent();
}

void RequestBody::drop_sent() {
  dropped_ += sent_;
  bytes_.consume(sent_);
  sent_ = 0;
}

void RequestBody::clear() {
  bytes_.clear();
  bytes_.set_small(nullptr);
  sent_ = 0;
  is_held_ = false;
}

}  // namespace weir
