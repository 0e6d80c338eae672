#include "bench/report/result_table.h"

#include <algorithm>

#include "bench/report/text.h"

namespace weir {
namespace {

constexpr size_t kMostBackends = 64;

class Table {
 public:
  Table(const BenchReport& report, const ReportSettings& settings, bool is_coloured)
      : report_(report), settings_(settings), is_coloured_(is_coloured) {}

  std::string text() {
    line("requests", joined(outcome_texts(report_.numbers.counts)));
    for (const auto& [error, count] : report_.errors) line("", count_text(count) + " x " + error);
    line("throughput", joined(throughput_texts(report_)));
    add_latencies();
    add_goodput();
    add_backends();
    add_added();
    add_chaos();
    add_judgement();
    return std::move(text_);
  }

 private:
  static std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "   ") + part;
    return text;
  }

  void line(std::string_view head, std::string_view rest) {
    std::string row(head);
    row.resize(std::max<size_t>(12, head.size() + 2), ' ');
    text_ += row + std::string(rest) + "\n";
  }

  std::string coloured(std::string_view text, bool is_good) const {
    if (!is_coloured_) return std::string(text);
    return (is_good ? "\033[32m" : "\033[1;31m") + std::string(text) + "\033[0m";
  }

  void add_latencies() {
    TableRow heads{"ms", "mean"};
    for (const double percent : settings_.percents) heads.push_back("p" + percent_text(percent));
    heads.insert(heads.end(), {"max", "samples"});
    std::vector<TableRow> rows{heads};
    bool is_short = false;
    for (const MeasureRow& measure : measures_of(report_.numbers)) {
      TableRow row{measure.name, ms_text(measure.samples->mean())};
      for (const double percent : settings_.percents) {
        const bool has_tail = measure.samples->has_tail(percent);
        is_short = is_short || !has_tail;
        row.push_back(ms_text(measure.samples->percentile(percent)) + (has_tail ? "" : "?"));
      }
      row.push_back(ms_text(measure.samples->most()));
      row.push_back(count_text(measure.samples->count()));
      rows.push_back(std::move(row));
    }
    if (rows.size() == 1) return;
    text_ += "\n" + aligned(rows);
    if (is_short) text_ += "?: too few samples for that percentile, it is near the maximum\n";
  }

  void add_goodput() {
    if (!report_.numbers.goodput) return;
    const GoodputNumbers& goodput = *report_.numbers.goodput;
    line("goodput", number_text(goodput.per_s, 2) + " req/s   " + in_percent(goodput.share) +
                        " of the requests within " + joined(settings_.goodput_texts));
  }

  void add_backends() {
    const std::vector<BackendNumbers>& backends = report_.numbers.backends;
    if (backends.empty()) return;
    std::vector<TableRow> rows{backend_heads()};
    for (const BackendNumbers& backend : backends) {
      if (rows.size() <= kMostBackends) rows.push_back(backend_cells(backend));
    }
    text_ += "\n" + aligned(rows);
    if (backends.size() > kMostBackends) {
      text_ += "and " + counted(backends.size() - kMostBackends, "more backend") +
               ": all of them are in run.json\n";
    }
    if (backends.size() < 2) return;
    line("imbalance", number_text(report_.numbers.imbalance.most_to_mean, 2) +
                          " (tokens of the busiest backend to the mean)   Jain " +
                          number_text(report_.numbers.imbalance.jain, 3));
  }

  void add_added() {
    if (!report_.added) return;
    text_ += "\nthe way through the proxy adds (99 % interval):\n";
    for (const AddedRow& row : added_rows(*report_.added)) line("  " + row.name, row.text);
  }

  void add_chaos() {
    if (report_.chaos.empty()) return;
    std::vector<TableRow> rows{chaos_heads()};
    for (const ChaosCost& cost : report_.chaos) rows.push_back(chaos_cells(cost));
    text_ += "\n" + aligned(rows);
  }

  void add_judgement() {
    text_ += "\n";
    const bool is_trusted = report_.trust.is_trusted();
    line("tester", coloured(is_trusted ? "trusted" : "NOT TRUSTED", is_trusted) + "   " +
                       joined(tester_texts(report_)));
    for (const std::string& reason : report_.trust.reasons) line("", "because: " + reason);
    for (const std::string& remark : report_.trust.remarks) line("note", remark);
    for (const ConditionResult& result : report_.verdict.slo) {
      line("SLO",
           result.text + "   " + coloured(result.is_met ? "holds" : "BROKEN", result.is_met));
    }
    for (const ConditionResult& result : report_.verdict.fail_on) {
      line("fail on",
           result.text + "   " + coloured(result.is_met ? "not so" : "FAILED", result.is_met));
    }
    line("verdict", coloured(report_.verdict.text, report_.verdict.exit_status == 0));
  }

  const BenchReport& report_;
  const ReportSettings& settings_;
  bool is_coloured_;
  std::string text_;
};

}  // namespace

std::string result_table(const BenchReport& report, const ReportSettings& settings,
                         bool is_coloured) {
  return Table(report, settings, is_coloured).text();
}

std::string step_table(const std::vector<StepRow>& steps) {
  std::vector<TableRow> rows{step_heads()};
  for (const StepRow& step : steps) rows.push_back(step_cells(step));
  return aligned(rows);
}

}  // namespace weir
