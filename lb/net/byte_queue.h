// Bytes in order, for what the other side would not take yet and for request bodies that may be
// sent again. Blocks come from a BlockPool with a cap. Empty costs no memory. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir {

// 16 KiB blocks, kept for reuse up to a small number; `limit` bytes at most are out at once. Owned
// by its worker.
class BlockPool {
 public:
  static constexpr size_t kBlockSize = 16 * 1024;
  static constexpr size_t kKept = 64;

  explicit BlockPool(size_t limit = ~size_t{0}) : limit_(limit) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  char* take();  // nullptr at the limit
  void give_back(char* block) noexcept;
  size_t blocks_out() const { return out_; }

 private:
  size_t limit_;
  size_t out_ = 0;
  std::vector<char*> kept_;
};

class ByteQueue {
 public:
  explicit ByteQueue(BlockPool& pool) : pool_(&pool) {}
  ByteQueue(ByteQueue&& other) noexcept;
  ByteQueue& operator=(ByteQueue&&) = delete;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ~ByteQueue() { clear(); }

  // All or nothing: false when the pool is at its limit.
  [[nodiscard]] bool append(std::string_view bytes);
  // Room at the end for somebody who brings up to `bytes` himself: at most `max` pieces, none when
  // the pool is at its limit. Then grow() says how many bytes he brought, be it 0.
  int make_room(iovec* pieces, int max, size_t bytes);
  void grow(size_t bytes);
  size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }

  // Up to `max` pieces from byte `offset` on; returns how many were filled in.
  int peek(iovec* pieces, int max, size_t offset = 0) const;
  std::string_view front() const;  // the first contiguous piece; empty when empty
  void consume(size_t bytes);      // from the front; at most size()
  void clear() noexcept;

 private:
  BlockPool* pool_;
  std::vector<char*> blocks_;
  size_t begin_ = 0;  // of the first byte, in the first block
  size_t size_ = 0;
};

}  // namespace weir
