// The backends at a moment: an immutable list, sorted by id, without doubles. Published as
// shared_ptr<const BackendSet>; any thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "weir/backend.h"

namespace weir {

class BackendSet {
 public:
  BackendSet() = default;
  explicit BackendSet(std::vector<BackendSpec> backends);  // sorts; of equal ids the first stays

  std::span<const BackendSpec> backends() const { return backends_; }
  const BackendSpec* find(std::string_view id) const;
  size_t size() const { return backends_.size(); }
  bool is_empty() const { return backends_.empty(); }
  bool operator==(const BackendSet&) const = default;

 private:
  std::vector<BackendSpec> backends_;
};

struct BackendSetChange {
  std::vector<BackendSpec> added;
  std::vector<BackendId> removed;
  std::vector<BackendSpec> changed;  // same id, other content
};
BackendSetChange difference(const BackendSet& before, const BackendSet& after);

}  // namespace weir
