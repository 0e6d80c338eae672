#include "bench/report/make_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "bench/report/documents.h"
#include "bench/report/report_settings.h"
#include "bench/report/run_json.h"
#include "bench/report/text.h"

namespace weir {
namespace {

constexpr uint64_t kFewestCounted = 20;
constexpr double kMostLost = 0.01;  // of the requests of a step that holds

double load_of(const RunRecord& run) {
  const LoadRecord& load = run.load;
  const bool is_closed =
      load.kind == LoadRecord::Kind::closed || load.kind == LoadRecord::Kind::users;
  return is_closed ? load.concurrency : load.rate;
}

bool print(std::string_view text) {
  return fwrite(text.data(), 1, text.size(), stdout) == text.size() && fflush(stdout) == 0;
}

void complain(const Problem& problem) {
  fprintf(stderr, "weir: error: %s\n", problem.what.c_str());
  if (!problem.help.empty()) fprintf(stderr, "help: %s\n", problem.help.c_str());
}

// Losses are counted: that a clock was late changes nothing of them.
bool asks_for_no_clock(const BenchReport& report) {
  const auto is_count = [](const ConditionResult& result) {
    const Condition::Measure measure = result.condition.measure;
    return measure == Condition::Measure::errors || measure == Condition::Measure::truncated ||
           measure == Condition::Measure::failed || measure == Condition::Measure::rejected;
  };
  const RunRecord& run = *report.run;
  return !report.verdict.slo.empty() && std::ranges::all_of(report.verdict.slo, is_count) &&
         report.numbers.counts.finished() >= kFewestCounted && run.not_started == 0 &&
         report.numbers.counts.of(RequestOutcome::unfinished) == 0;
}

std::string steps_json(const std::vector<BenchReport>& reports, const ReportSettings& settings) {
  std::string text = "[";
  for (const BenchReport& report : reports) {
    text += (text.size() == 1 ? "\n" : ",\n") + run_json(report, settings);
  }
  return text + "\n]\n";
}

class ReportSink final : public RunSink {
 public:
  ReportSink(ReportSettings settings, ReportFiles files, bool is_json)
      : settings_(std::move(settings)), files_(std::move(files)), is_json_(is_json) {}

  StepVerdict judge(const RunRecord& step, std::string* why) override {
    const BenchReport report = report_on(step, settings_);
    const OutcomeCounts& counts = report.numbers.counts;
    const double most = kMostLost * static_cast<double>(counts.finished());
    for (const ConditionResult& result : report.verdict.slo) {
      if (!result.is_met) *why += (why->empty() ? "" : ", ") + result.text;
    }
    if (static_cast<double>(counts.lost()) > most) {
      *why = count_text(counts.lost()) + " of " + counted(counts.finished(), "request") + " lost";
      return StepVerdict::breaks;
    }
    if (step.is_over_saturated) {
      *why = "over-saturated" + (why->empty() ? "" : ", " + *why);
      return StepVerdict::breaks;
    }
    if (!report.trust.is_trusted() && !asks_for_no_clock(report)) {
      *why = report.trust.reasons.front();
      return StepVerdict::unknown;
    }
    if (!report.verdict.holds()) return StepVerdict::breaks;
    *why = report.verdict.slo.empty() ? "nothing lost" : report.verdict.slo.front().text;
    return StepVerdict::holds;
  }

  int finish(const BenchRecord& bench) override {
    if (bench.runs.empty()) return 0;
    std::vector<BenchReport> reports;
    for (const RunRecord& run : bench.runs) reports.push_back(report_on(run, settings_));
    std::vector<StepRow> steps;
    if (bench.kind != BenchRecord::Kind::single) {
      for (const BenchReport& report : reports) {
        steps.push_back({report.words.load, load_of(*report.run), &report});
      }
    }
    BenchReport& chosen = reports[chosen_of(bench)];
    if (bench.kind == BenchRecord::Kind::search) {
      chosen.search =
          SearchNumbers{bench.highest_good, bench.lowest_bad, bench.load_unit, bench.runs.size()};
    }
    const ReportDocument document{chosen, steps, headline(bench), bench.load_unit};
    const bool is_printed = print_result(document);
    const bool is_written = write_files(document, reports);
    const int status = exit_status(bench, reports);
    return is_printed && is_written ? status : std::max(1, status == 3 || status == 4 ? 1 : status);
  }

 private:
  // The highest load that held; of a sweep, or where none held, the last one.
  static size_t chosen_of(const BenchRecord& bench) {
    for (size_t i = bench.runs.size(); i-- > 0 && bench.kind == BenchRecord::Kind::search;) {
      const double load = load_of(bench.runs[i]);
      if (bench.highest_good > 0 && load >= 0.999 * bench.highest_good &&
          load <= 1.001 * bench.highest_good) {
        return i;
      }
    }
    return bench.runs.size() - 1;
  }

  static std::string headline(const BenchRecord& bench) {
    if (bench.kind != BenchRecord::Kind::search) return {};
    const bool is_whole = bench.load_unit != "req/s";
    const auto load = [&](double value) {
      return (is_whole ? number_text(value, 0) : ms_text(value)) + " " + bench.load_unit;
    };
    if (bench.highest_good <= 0 && bench.lowest_bad <= 0) return "no step could be judged";
    if (bench.highest_good <= 0) return "nothing held, down to " + load(bench.lowest_bad);
    if (bench.lowest_bad <= 0) {
      return "holds at " + load(bench.highest_good) + ", the highest that was tried";
    }
    return "holds up to " + load(bench.highest_good) + ", breaks at " + load(bench.lowest_bad);
  }

  // A step of a search may break its SLO: that is what it is for. Where none held but one broke,
  // that much was decided, be it by counting losses, which asks for no trust. A sweep is judged as
  // its worst.
  static int exit_status(const BenchRecord& bench, const std::vector<BenchReport>& reports) {
    if (bench.kind == BenchRecord::Kind::search) {
      if (bench.highest_good > 0) return 0;
      return bench.lowest_bad > 0 ? 3 : 4;
    }
    int worst = 0;
    for (const BenchReport& report : reports) {
      const int status = report.verdict.exit_status;
      const auto weight = [](int of) { return of == 1 ? 5 : of; };  // 1 beats 4 beats 3
      if (weight(status) > weight(worst)) worst = status;
    }
    return worst;
  }

  bool print_result(const ReportDocument& document) const {
    if (is_json_) return print(run_json(document.chosen, settings_) + "\n");
    const bool is_coloured = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nullptr;
    std::string text;
    if (!document.steps.empty()) text += step_table(document.steps) + "\n";
    if (!document.headline.empty()) text += document.headline + "\n\n";
    text += result_table(document.chosen, settings_, is_coloured);
    return print(text);
  }

  bool write_files(const ReportDocument& document, const std::vector<BenchReport>& reports) const {
    bool is_fine = true;
    std::string saved;
    const auto save = [&](const std::string& path, auto make) {
      if (path.empty()) return;
      const Result<Ok, Problem> written = write_file(path, make());
      if (!written) complain(written.error());
      is_fine = is_fine && written.has_value();
      if (written) saved += (saved.empty() ? "" : ", ") + path;
    };
    save(files_.run, [&] { return run_json(document.chosen, settings_) + "\n"; });
    save(files_.requests, [&] { return request_lines(document.chosen); });
    save(files_.html, [&] { return html_document(document, settings_); });
    save(files_.markdown, [&] { return markdown_document(document, settings_); });
    save(files_.junit, [&] { return junit_document(document); });
    if (!document.steps.empty()) {
      save(files_.steps, [&] { return steps_json(reports, settings_); });
    }
    if (!saved.empty()) fprintf(stderr, "weir: saved %s\n", saved.c_str());
    return is_fine;
  }

  ReportSettings settings_;
  ReportFiles files_;
  bool is_json_;
};

}  // namespace

Result<std::unique_ptr<RunSink>, Problem> make_report(const ReportOptions& options) {
  Result<ReportSettings, Problem> settings = read_settings(options);
  if (!settings) return settings.error();
  Result<ReportFiles, Problem> files = choose_files(options);
  if (!files) return files.error();
  return std::unique_ptr<RunSink>(
      std::make_unique<ReportSink>(std::move(*settings), std::move(*files), options.json));
}

}  // namespace weir
