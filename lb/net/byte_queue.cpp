#include "lb/net/byte_queue.h"

#include <string.h>

#include <algorithm>

#include "weir/assert.h"

namespace weir {

BlockPool::~BlockPool() {
  WEIR_ASSERT(out_ == 0);
  for (char* block : kept_) delete[] block;
}

char* BlockPool::take() {
  if (!budget_.take(kBlockSize)) return nullptr;
  ++out_;
  if (kept_.empty()) return new char[kBlockSize];
  char* block = kept_.back();
  kept_.pop_back();
  return block;
}

void BlockPool::give_back(char* block) noexcept {
  --out_;
  budget_.give_back(kBlockSize);
  if (kept_.size() < kKept) {
    kept_.push_back(block);
  } else {
    delete[] block;
  }
}

ByteQueue::ByteQueue(ByteQueue&& other) noexcept
    : pool_(other.pool_),
      blocks_(std::move(other.blocks_)),
      begin_(other.begin_),
      size_(other.size_) {
  other.blocks_.clear();
  other.begin_ = 0;
  other.size_ = 0;
}

bool ByteQueue::append(std::string_view bytes) {
  constexpr size_t kBlock = BlockPool::kBlockSize;
  const size_t had = blocks_.size();
  const size_t needed = (begin_ + size_ + bytes.size() + kBlock - 1) / kBlock;
  while (blocks_.size() < needed) {
    char* block = pool_->take();
    if (block == nullptr) {
      while (blocks_.size() > had) {
        pool_->give_back(blocks_.back());
        blocks_.pop_back();
      }
      return false;
    }
    blocks_.push_back(block);
  }
  while (!bytes.empty()) {
    const size_t at = begin_ + size_;
    const size_t n = std::min(bytes.size(), kBlock - at % kBlock);
    ::memcpy(blocks_[at / kBlock] + at % kBlock, bytes.data(), n);
    bytes.remove_prefix(n);
    size_ += n;
  }
  return true;
}

int ByteQueue::make_room(iovec* pieces, int max, size_t bytes) {
  constexpr size_t kBlock = BlockPool::kBlockSize;
  int count = 0;
  for (size_t at = begin_ + size_; count < max && bytes > 0; ++count) {
    if (at == blocks_.size() * kBlock) {
      char* block = pool_->take();
      if (block == nullptr) break;
      blocks_.push_back(block);
    }
    const size_t n = std::min(bytes, kBlock - at % kBlock);
    pieces[count] = iovec{blocks_[at / kBlock] + at % kBlock, n};
    at += n;
    bytes -= n;
  }
  return count;
}

void ByteQueue::grow(size_t bytes) {
  size_ += bytes;
  const size_t used = (begin_ + size_ + BlockPool::kBlockSize - 1) / BlockPool::kBlockSize;
  WEIR_ASSERT(used <= blocks_.size());
  while (blocks_.size() > used) {
    pool_->give_back(blocks_.back());
    blocks_.pop_back();
  }
  if (size_ == 0) clear();
}

int ByteQueue::peek(iovec* pieces, int max, size_t offset) const {
  constexpr size_t kBlock = BlockPool::kBlockSize;
  int count = 0;
  while (count < max && offset < size_) {
    const size_t at = begin_ + offset;
    const size_t n = std::min(size_ - offset, kBlock - at % kBlock);
    pieces[count++] = iovec{blocks_[at / kBlock] + at % kBlock, n};
    offset += n;
  }
  return count;
}

std::string_view ByteQueue::front() const {
  iovec piece{};
  if (peek(&piece, 1) == 0) return {};
  return {static_cast<const char*>(piece.iov_base), piece.iov_len};
}

void ByteQueue::consume(size_t bytes) {
  WEIR_ASSERT(bytes <= size_);
  begin_ += bytes;
  size_ -= bytes;
  if (size_ == 0) {
    clear();
    return;
  }
  const size_t used_up = begin_ / BlockPool::kBlockSize;
  for (size_t i = 0; i < used_up; ++i) pool_->give_back(blocks_[i]);
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(used_up));
  begin_ %= BlockPool::kBlockSize;
}

void ByteQueue::clear() noexcept {
  for (char* block : blocks_) pool_->give_back(block);
  blocks_ = {};  // gives the vector's memory back too: an empty queue costs nothing
  begin_ = 0;
  size_ = 0;
}

}  // namespace weir
