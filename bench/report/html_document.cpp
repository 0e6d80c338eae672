#include <algorithm>

#include "bench/report/documents.h"
#include "bench/report/page_data.h"
#include "bench/report/page_text.h"
#include "bench/report/text.h"

namespace weir {
namespace {

// <tag attributes>text</tag>, the text escaped.
std::string tagged(std::string_view tag, std::string_view text, std::string_view attributes = {}) {
  return "<" + std::string(tag) + (attributes.empty() ? "" : " ") + std::string(attributes) + ">" +
         html_text(text) + "</" + std::string(tag) + ">";
}

// `kind`: of "told" the last column is a text.
std::string table(std::string_view caption, const std::vector<TableRow>& rows,
                  std::string_view kind = "numbers") {
  std::string text = "<div class=\"scroll\"><table class=\"" + std::string(kind) + "\">" +
                     tagged("caption", caption) + "<thead><tr>";
  for (const std::string& head : rows.front()) text += tagged("th", head, "scope=\"col\"");
  text += "</tr></thead><tbody>\n";
  for (size_t i = 1; i < rows.size(); ++i) {
    text += "<tr>" + tagged("th", rows[i].front(), "scope=\"row\"");
    for (size_t j = 1; j < rows[i].size(); ++j) text += tagged("td", rows[i][j]);
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string figure(std::string_view id, std::string_view head, std::string_view caption,
                   std::string_view legend = {}) {
  return "<section class=\"card\"><figure>" + tagged("h2", head) + tagged("figcaption", caption) +
         std::string(legend) + "<div id=\"" + std::string(id) + "\"></div></figure></section>\n";
}

class Page {
 public:
  Page(const ReportDocument& document, const ReportSettings& settings)
      : document_(document), report_(document.chosen), settings_(settings) {}

  std::string text() {
    add_head();
    add_verdict();
    add_tiles();
    add_steps();
    add_measures();
    add_timeline();
    add_chaos();
    add_backends();
    add_added();
    add_tester();
    add_about();
    text_ += "</main>\n<div id=\"tip\" aria-hidden=\"true\"></div>\n";
    text_ +=
        "<script type=\"application/json\" id=\"data\">" + page_data(document_) + "</script>\n";
    text_ += "<script>" + std::string(kPageScript) + "</script>\n</body>\n</html>\n";
    return std::move(text_);
  }

 private:
  void add_head() {
    const RunWords& words = report_.words;
    text_ +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    text_ += tagged("title", "weir bench: " + report_.verdict.text);
    text_ += "\n<style>" + std::string(kPageStyle) + "</style>\n</head>\n<body>\n<main>\n";
    text_ += "<div class=\"head\">" + tagged("h1", "weir bench · " + words.model) +
             tagged("span", report_.run->started_at, "class=\"soft\"") + "</div>\n";
    std::string what = words.load + " · " + words.work + " · " + words.endpoint;
    for (const std::string& target : words.targets) what += " · " + target;
    text_ += tagged("p", what, "class=\"soft\"") + "\n";
  }

  void add_verdict() {
    const Verdict& verdict = report_.verdict;
    const bool is_good = verdict.exit_status == 0;
    text_ += "<section class=\"card verdict " + std::string(is_good ? "good" : "bad") +
             "\" aria-label=\"verdict\">";
    text_ += tagged("strong", document_.headline.empty() ? verdict.text : document_.headline);
    if (!document_.headline.empty()) text_ += tagged("div", verdict.text);
    std::string items;
    for (const ConditionResult& result : verdict.slo) {
      items += "<li>" + html_text(result.text) + " " +
               tagged("span", result.is_met ? "holds" : "broken",
                      result.is_met ? "class=\"met\"" : "class=\"broken\"") +
               "</li>";
    }
    for (const ConditionResult& result : verdict.fail_on) {
      items += tagged("li", "fail on " + result.text + (result.is_met ? ": not so" : ": failed"));
    }
    for (const std::string& reason : report_.trust.reasons) {
      items += tagged("li", "not trusted: " + reason, "class=\"broken\"");
    }
    for (const auto& [error, count] : report_.errors) {
      items += tagged("li", count_text(count) + " × " + error);
    }
    for (const std::string& remark : report_.trust.remarks) items += tagged("li", remark);
    if (!items.empty()) text_ += "<ul>" + items + "</ul>";
    text_ += "</section>\n";
  }

  void add_tile(std::string_view value, std::string_view name) {
    text_ += "<div class=\"tile\">" + tagged("b", value) + tagged("small", name) + "</div>";
  }

  void add_tiles() {
    const RunNumbers& numbers = report_.numbers;
    const LatencyNumbers& latency = numbers.latency;
    text_ += "<div class=\"tiles\">";
    add_tile(count_text(numbers.counts.ok()),
             "requests ok, " + count_text(numbers.counts.lost()) + " lost");
    add_tile(number_text(numbers.throughput.requests, 2), "requests/s");
    add_tile(number_text(numbers.throughput.output_tokens, 0), "output tokens/s");
    const auto add = [&](const Samples& samples, const std::string& name) {
      if (samples.is_empty()) return;
      add_tile(ms_text(samples.median()) + " ms",
               name + " p50, p99 " + ms_text(samples.percentile(99)) + " ms");
    };
    add(latency.ttft, "TTFT");
    add(latency.itl, "ITL");
    add(latency.e2el, "E2EL");
    if (numbers.goodput) add_tile(in_percent(numbers.goodput->share), "goodput of the requests");
    text_ += "</div>\n";
  }

  void add_steps() {
    if (document_.steps.empty()) return;
    text_ += "<div class=\"pair\">\n";
    text_ += figure("step-ttft", "TTFT by load", "p99 of each step; hollow: the step did not pass");
    text_ += figure("step-tokens", "Throughput by load", "output tokens a second of each step");
    text_ += "</div>\n<section class=\"card\">";
    std::vector<TableRow> rows{step_heads()};
    for (const StepRow& step : document_.steps) rows.push_back(step_cells(step));
    text_ += table("Every step in the order it ran; times in ms", rows, "told") + "</section>\n";
  }

  void add_measures() {
    const std::vector<MeasureRow> plotted = plotted_measures(report_.numbers);
    if (!plotted.empty()) text_ += "<div class=\"pair\">\n";
    for (size_t i = 0; i < plotted.size(); ++i) {
      text_ += figure("measure-" + std::to_string(i), plotted[i].name + " by percentile",
                      plotted[i].definition + "; stretched towards the tail");
    }
    if (!plotted.empty()) text_ += "</div>\n";
    TableRow heads{"ms", "mean"};
    for (const double percent : settings_.percents) heads.push_back("p" + percent_text(percent));
    heads.insert(heads.end(), {"max", "samples", "what it is"});
    std::vector<TableRow> rows{heads};
    for (const MeasureRow& measure : measures_of(report_.numbers)) {
      const Samples& samples = *measure.samples;
      TableRow row{measure.name, ms_text(samples.mean())};
      for (const double percent : settings_.percents) {
        row.push_back(ms_text(samples.percentile(percent)) +
                      (samples.has_tail(percent) ? "" : "?"));
      }
      row.insert(row.end(),
                 {ms_text(samples.most()), count_text(samples.count()), measure.definition});
      rows.push_back(std::move(row));
    }
    text_ += "<section class=\"card\">" +
             table("Latencies of whole answers, in ms (?: too few samples for that percentile)",
                   rows, "told") +
             "</section>\n";
  }

  void add_timeline() {
    if (report_.run->timeline.empty()) return;
    const std::string legend =
        "<div class=\"legend\"><span style=\"--mark:var(--teal)\">TTFT p50</span>"
        "<span style=\"--mark:var(--orange)\">TTFT p99</span>"
        "<span class=\"dot\" style=\"--mark:var(--teal)\">a request</span>"
        "<span class=\"dot\" style=\"--mark:var(--red)\">a lost request</span></div>";
    text_ += figure("timeline", "The run, second by second",
                    "grey: outside the steady window, in no throughput; numbers: events of --at",
                    legend);
  }

  void add_chaos() {
    if (report_.chaos.empty()) return;
    std::vector<TableRow> rows{chaos_heads()};
    for (size_t i = 0; i < report_.chaos.size(); ++i) {
      TableRow row = chaos_cells(report_.chaos[i]);
      row.front() = std::to_string(i + 1) + ". " + row.front();
      rows.push_back(std::move(row));
    }
    text_ += "<section class=\"card\">" + tagged("h2", "What each event cost") +
             table("Until the next event, at most 30 s", rows) + "</section>\n";
  }

  void add_backends() {
    const RunNumbers& numbers = report_.numbers;
    if (numbers.backends.empty()) return;
    text_ += "<div class=\"pair\">\n";
    if (!numbers.latency.ttft.is_empty()) {
      text_ += figure("backend-ttft", "TTFT by backend", "dot: median; bar: to the p99");
    }
    if (!numbers.latency.tpot.is_empty()) {
      text_ += figure("backend-tpot", "TPOT by backend", "dot: median; bar: to the p99");
    }
    text_ += "</div>\n<section class=\"card\">";
    std::vector<TableRow> rows{backend_heads()};
    for (const BackendNumbers& backend : numbers.backends) rows.push_back(backend_cells(backend));
    text_ +=
        table("Backends; times in ms. Imbalance " + number_text(numbers.imbalance.most_to_mean, 2) +
                  " (tokens of the busiest to the mean), Jain " +
                  number_text(numbers.imbalance.jain, 3),
              rows, "told") +
        "</section>\n";
  }

  void add_added() {
    if (!report_.added) return;
    std::vector<TableRow> rows{{"measure", "proxy less direct, with its 99 % interval"}};
    for (const AddedRow& row : added_rows(*report_.added)) rows.push_back({row.name, row.text});
    text_ += "<section class=\"card\">" + tagged("h2", "What the way through the proxy adds") +
             table("Both ways took turns in this run", rows) + "</section>\n";
  }

  void add_tester() {
    text_ += "<section class=\"card\">" + tagged("h2", "The tester itself");
    std::string line;
    for (const std::string& part : tester_texts(report_))
      line += (line.empty() ? "" : " · ") + part;
    text_ += tagged("p", std::string(report_.trust.is_trusted() ? "Trusted: " : "NOT TRUSTED: ") +
                             line) +
             "</section>\n";
  }

  void add_term(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += tagged("dt", name) + tagged("dd", value);
  }

  void add_about() {
    const RunWords& words = report_.words;
    text_ += "<section class=\"card\">" + tagged("h2", "About this run") + "<dl>";
    text_ += "<dt>command</dt><dd>" + tagged("code", words.command) + "</dd>";
    add_term("weir", words.version);
    add_term("lengths", words.length_check);
    add_term("ended early", words.ended_early);
    add_term("seed", std::to_string(report_.run->seed));
    std::string throughput;
    for (const std::string& part : throughput_texts(report_)) {
      throughput += (throughput.empty() ? "" : " · ") + part;
    }
    add_term("throughput", throughput);
    for (const auto& [key, value] : settings_.metadata) add_term(key, value);
    text_ += "</dl></section>\n";
  }

  const ReportDocument& document_;
  const BenchReport& report_;
  const ReportSettings& settings_;
  std::string text_;
};

}  // namespace

std::string html_document(const ReportDocument& document, const ReportSettings& settings) {
  return Page(document, settings).text();
}

}  // namespace weir
