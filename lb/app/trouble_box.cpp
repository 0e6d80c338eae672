#include "lb/app/trouble_box.h"

#include <algorithm>

namespace weir {

void TroubleBox::put(BackendSerial serial) {
  {
    const std::lock_guard lock(mutex_);
    const auto end = serials_.begin() + static_cast<ptrdiff_t>(count_);
    if (count_ == kMost || std::find(serials_.begin(), end, serial) != end) return;
    serials_[count_++] = serial;
  }
  task_.post();
}

void TroubleBox::hand_on() {
  std::array<BackendSerial, kMost> serials;
  size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    serials = serials_;
    count = count_;
    count_ = 0;
  }
  for (size_t i = 0; i < count; ++i) prober_.hurry(serials[i]);
}

}  // namespace weir
