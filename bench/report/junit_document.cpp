#include "bench/report/documents.h"
#include "bench/report/text.h"

namespace weir {
namespace {

struct TestCase {
  std::string name;
  bool is_passed;
  std::string text;
};

std::string case_text(const TestCase& test) {
  std::string text = "    <testcase classname=\"weir.bench\" name=\"" + html_text(test.name) + "\"";
  if (test.is_passed) return text + "/>\n";
  return text + ">\n      <failure message=\"" + html_text(test.text) + "\"/>\n    </testcase>\n";
}

std::vector<TestCase> cases_of(const BenchReport& report) {
  const OutcomeCounts& counts = report.numbers.counts;
  std::string lost;
  for (const std::string& text : outcome_texts(counts)) lost += (lost.empty() ? "" : ", ") + text;
  std::string reasons;
  for (const std::string& reason : report.trust.reasons) {
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  std::vector<TestCase> tests{
      {"no request is lost", !report.verdict.is_lossy, lost},
      {"the tester can be trusted", report.trust.is_trusted(), reasons},
  };
  for (const ConditionResult& result : report.verdict.slo) {
    tests.push_back({"slo " + result.condition.text, result.is_met, result.text});
  }
  for (const ConditionResult& result : report.verdict.fail_on) {
    tests.push_back({"fail-on " + result.condition.text, result.is_met, result.text});
  }
  return tests;
}

}  // namespace

std::string junit_document(const ReportDocument& document) {
  const BenchReport& report = document.chosen;
  std::string cases;
  size_t failures = 0;
  const std::vector<TestCase> tests = cases_of(report);
  for (const TestCase& test : tests) {
    cases += case_text(test);
    failures += test.is_passed ? 0 : 1;
  }
  const std::string counts = "tests=\"" + std::to_string(tests.size()) + "\" failures=\"" +
                             std::to_string(failures) + "\" errors=\"0\"";
  const std::string time = std::to_string(report.numbers.duration_s);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
         ">\n  <testsuite name=\"weir bench\" " + counts + " time=\"" + time + "\" timestamp=\"" +
         html_text(report.run->started_at) + "\">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace weir
