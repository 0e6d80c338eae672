// Metrics as the text that Prometheus reads (exposition format 0.0.4). Pure; any thread that may
// read the metrics.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "lb/observe/metrics.h"

namespace weir {

// Names and label names are ours; label values are escaped.
class PrometheusText {
 public:
  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  // Begins a family; its samples follow at once.
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(Labels labels, uint64_t value);
  void sample(Labels labels, double value);
  void histogram(Labels labels, const Histogram& histogram);

  const std::string& text() const { return text_; }

 private:
  void begin(std::string_view suffix, Labels labels, std::string_view edge = {});
  void end(double value);
  std::string text_;
  std::string name_;
};

void write_metrics(PrometheusText& out, const Metrics& metrics);
// weir_build_info and process_*: what every process has.
void write_process_metrics(PrometheusText& out);

}  // namespace weir
