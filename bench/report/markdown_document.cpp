#include "bench/report/documents.h"
#include "bench/report/text.h"

namespace weir {
namespace {

std::string row_text(const TableRow& row) {
  std::string text = "|";
  for (const std::string& cell : row) text += " " + markdown_text(cell) + " |";
  return text + "\n";
}

std::string table_text(const std::vector<TableRow>& rows) {
  std::string text = "\n" + row_text(rows.front()) + "|";
  for (size_t i = 0; i < rows.front().size(); ++i) text += i == 0 ? " --- |" : " ---: |";
  text += "\n";
  for (size_t i = 1; i < rows.size(); ++i) text += row_text(rows[i]);
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : " · ") + markdown_text(part);
  }
  return text;
}

std::string measures_text(const BenchReport& report, const ReportSettings& settings) {
  std::vector<TableRow> rows{{"ms", "mean"}};
  for (const double percent : settings.percents) rows[0].push_back("p" + percent_text(percent));
  rows[0].insert(rows[0].end(), {"max", "samples", "what"});
  for (const MeasureRow& measure : measures_of(report.numbers)) {
    TableRow row{measure.name, ms_text(measure.samples->mean())};
    for (const double percent : settings.percents) {
      row.push_back(ms_text(measure.samples->percentile(percent)));
    }
    row.insert(row.end(), {ms_text(measure.samples->most()), count_text(measure.samples->count()),
                           measure.definition});
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

std::string judgement_text(const BenchReport& report) {
  std::string text;
  for (const ConditionResult& result : report.verdict.slo) {
    text += "- " + markdown_text(result.text) + (result.is_met ? ": holds\n" : ": **broken**\n");
  }
  for (const ConditionResult& result : report.verdict.fail_on) {
    text += "- " + markdown_text(result.text) + (result.is_met ? ": not so\n" : ": **failed**\n");
  }
  for (const std::string& reason : report.trust.reasons) {
    text += "- **not trusted**: " + markdown_text(reason) + "\n";
  }
  for (const std::string& remark : report.trust.remarks) {
    text += "- " + markdown_text(remark) + "\n";
  }
  return text;
}

}  // namespace

std::string markdown_document(const ReportDocument& document, const ReportSettings& settings) {
  const BenchReport& report = document.chosen;
  std::string text = "# weir bench: " + markdown_text(report.verdict.text) + "\n\n";
  if (!document.headline.empty()) text += "**" + markdown_text(document.headline) + "**\n\n";
  text += markdown_text(report.words.load) + ", " + markdown_text(report.words.work) + ", model " +
          markdown_text(report.words.model) + ", " + report.run->started_at + "\n\n";
  text += "- requests: " + joined(outcome_texts(report.numbers.counts)) + "\n";
  text += "- throughput: " + joined(throughput_texts(report)) + "\n";
  text += "- tester: " + joined(tester_texts(report)) + "\n";
  text += judgement_text(report) + measures_text(report, settings);
  if (!document.steps.empty()) {
    std::vector<TableRow> rows{step_heads()};
    for (const StepRow& step : document.steps) rows.push_back(step_cells(step));
    text += table_text(rows);
  }
  if (!report.numbers.backends.empty()) {
    std::vector<TableRow> rows{backend_heads()};
    for (const BackendNumbers& backend : report.numbers.backends) {
      rows.push_back(backend_cells(backend));
    }
    text += table_text(rows);
  }
  if (report.added) {
    std::vector<TableRow> rows{{"the proxy adds", "ms, with its 99 % interval"}};
    for (const AddedRow& row : added_rows(*report.added)) rows.push_back({row.name, row.text});
    text += table_text(rows);
  }
  if (!report.chaos.empty()) {
    std::vector<TableRow> rows{chaos_heads()};
    for (const ChaosCost& cost : report.chaos) rows.push_back(chaos_cells(cost));
    text += table_text(rows);
  }
  for (const auto& [error, count] : report.errors) {
    text += "\n" + count_text(count) + " × " + markdown_text(error) + "\n";
  }
  return text + "\n    " + report.words.command + "\n";
}

}  // namespace weir
