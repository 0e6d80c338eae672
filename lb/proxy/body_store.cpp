#include "lb/proxy/body_store.h"

namespace weir {

bool BodyStore::append(std::string_view bytes) {
  const bool fits = small_ != nullptr && small_->size() + bytes.size() <= kSmall;
  if (fits && blocks_.is_empty()) {
    small_->append(bytes);
    return true;
  }
  return spill() && blocks_.append(bytes);
}

bool BodyStore::spill() {
  if (!is_small()) return true;
  if (!blocks_.append(*small_)) return false;
  small_->clear();
  return true;
}

int BodyStore::peek(iovec* pieces, int max, size_t offset) const {
  if (!is_small()) return blocks_.peek(pieces, max, offset);
  if (max == 0 || offset >= small_->size()) return 0;
  pieces[0] = {small_->data() + offset, small_->size() - offset};
  return 1;
}

void BodyStore::consume(size_t bytes) {
  if (is_small()) {
    small_->erase(0, bytes);
  } else {
    blocks_.consume(bytes);
  }
}

void BodyStore::clear() {
  if (small_ != nullptr) small_->clear();
  blocks_.clear();
}

}  // namespace weir
