// Bytes in order, for what the other side would not take yet and for request bodies that may be
// sent again. Blocks come from a BlockPool with a cap. Empty costs no memory. One thread.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir {

// How many bytes may be out of the pools that share it. Any thread; outlives the pools.
class BlockBudget {
 public:
  explicit BlockBudget(size_t limit) : limit_(limit) {}
  BlockBudget(const BlockBudget&) = delete;
  BlockBudget& operator=(const BlockBudget&) = delete;

  [[nodiscard]] bool take(size_t bytes) noexcept {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
    give_back(bytes);
    return false;
  }
  void give_back(size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

// 16 KiB blocks, kept for reuse up to a small number. Owned by its worker.
class BlockPool {
 public:
  static constexpr size_t kBlockSize = 16 * 1024;
  static constexpr size_t kKept = 64;

  explicit BlockPool(size_t limit = ~size_t{0}) : own_(limit), budget_(own_) {}
  explicit BlockPool(BlockBudget& shared) : own_(0), budget_(shared) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  char* take();  // nullptr when the budget is spent
  void give_back(char* block) noexcept;
  size_t blocks_out() const { return out_; }

 private:
  BlockBudget own_;
  BlockBudget& budget_;  // own_, or one that is shared with others
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

  // All or nothing: false when the pool has no more.
  [[nodiscard]] bool append(std::string_view bytes);
  // Room at the end for somebody who brings up to `bytes` himself: at most `max` pieces, none when
  // the pool has no more. Then grow() says how many bytes he brought, be it 0.
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
