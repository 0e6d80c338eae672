// Where the metrics of this process come from. Loop thread of whoever asks.
#pragma once

#include "lb/observe/metrics.h"

namespace weir {

class MetricsSource {
 public:
  virtual Metrics metrics() const = 0;  // of this moment, of all workers

 protected:
  ~MetricsSource() = default;
};

}  // namespace weir
