// The bytes of a request body: a small one in a pooled string, a larger one in blocks of a pool
// with a cap, so that thousands of waiting requests do not hold a block each. Owned by a
// RequestBody. Loop thread only.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "lb/net/byte_queue.h"

namespace weir {

class BodyStore {
 public:
  static constexpr size_t kSmall = 8 * 1024;

  explicit BodyStore(BlockPool& blocks) : blocks_(blocks) {}

  // Where a small body goes, and is empty now; nullptr: nowhere.
  void set_small(std::string* small) { small_ = small; }

  // False: the pool has no more.
  [[nodiscard]] bool append(std::string_view bytes);
  // As ByteQueue's.
  int make_room(iovec* pieces, int max, size_t bytes) {
    return spill() ? blocks_.make_room(pieces, max, bytes) : 0;
  }
  void grow(size_t bytes) { blocks_.grow(bytes); }
  int peek(iovec* pieces, int max, size_t offset) const;
  void consume(size_t bytes);
  void clear();

  size_t size() const { return is_small() ? small_->size() : blocks_.size(); }
  bool is_empty() const { return size() == 0; }

 private:
  bool is_small() const { return small_ != nullptr && !small_->empty(); }
  bool spill();

  std::string* small_ = nullptr;  // never has bytes while blocks_ has some
  ByteQueue blocks_;
};

}  // namespace weir
