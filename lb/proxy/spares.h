// Objects that are used again instead of being made anew, a bounded number of them. What they hold
// is their user's. Owned by a worker. One thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace weir {

template <typename T>
class Spares {
 public:
  explicit Spares(size_t most = 256) : most_(most) {}
  Spares(const Spares&) = delete;
  Spares& operator=(const Spares&) = delete;

  // The arguments are for one that has to be made.
  template <typename... Args>
  std::unique_ptr<T> take(Args&&... args) {
    if (kept_.empty()) return std::make_unique<T>(std::forward<Args>(args)...);
    std::unique_ptr<T> object = std::move(kept_.back());
    kept_.pop_back();
    return object;
  }
  void give_back(std::unique_ptr<T> object) {
    if (object && kept_.size() < most_) kept_.push_back(std::move(object));
  }

 private:
  size_t most_;
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace weir
