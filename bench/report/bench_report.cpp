#include "bench/report/bench_report.h"

#include <algorithm>
#include <map>

#include "bench/report/request_times.h"
#include "bench/report/text.h"

namespace weir {
namespace {

constexpr size_t kMostErrors = 10;

// The length of the UTF-8 sequence that begins `text`; 0 = none does.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length == 3 && first == 0xE0 && byte(1) < 0xA0) return 0;  // too long for what it says
  if (length == 3 && first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (length == 4 && first == 0xF0 && byte(1) < 0x90) return 0;
  if (length == 4 && first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

RunWords words_of(const RunRecord& run, const std::vector<std::string>& secrets) {
  const auto clean = [&](const std::string& text) { return fit(text, secrets); };
  RunWords words;
  // Together, so that "--api-key" covers the argument behind it, too.
  bool is_secret = false;
  for (const std::string& argument : run.arguments) {
    words.arguments.push_back(is_secret ? "***" : clean(argument));
    is_secret = argument == "--api-key" || argument == "--token";
  }
  words.command = shell_text(words.arguments);
  if (!words.command.starts_with("weir ")) words.command.insert(0, "weir ");
  words.version = clean(run.version);
  words.model = clean(run.model);
  words.endpoint = clean(run.endpoint);
  words.load = clean(run.load.text);
  words.work = clean(run.work);
  words.length_check = clean(run.length_check);
  words.ended_early = clean(run.ended_early);
  for (const std::string& name : run.backends) words.backends.push_back(clean(name));
  for (const std::string& text : run.texts) words.texts.push_back(clean(text));
  for (const TargetRecord& target : run.targets) words.targets.push_back(clean(target.url));
  return words;
}

void clean_names(const std::vector<std::string>& secrets, BenchReport* report) {
  for (BackendNumbers& backend : report->numbers.backends) {
    backend.name = fit(backend.name, secrets);
  }
  for (TargetNumbers& target : report->numbers.targets) {
    target.target.name = fit(target.target.name, secrets);
    target.target.url = fit(target.target.url, secrets);
  }
  for (ChaosCost& cost : report->chaos) {
    cost.action = fit(cost.action, secrets);
    cost.result = fit(cost.result, secrets);
  }
  for (std::string& remark : report->trust.remarks) remark = fit(remark, secrets);
}

Series series_of(const RunRecord& run, TargetRecord::Role role, bool is_itl) {
  Series series;
  for (const RequestRecord& request : run.requests) {
    if (!is_ok(request) || request.is_warm_up || run.targets[request.target].role != role) continue;
    if (!is_itl && ttft_ms(request) >= 0) series.add(request.index, ttft_ms(request));
    if (!is_itl) continue;
    for (const uint32_t gap : run.gaps_of(request)) series.add(request.index, gap_ms(gap));
  }
  series.finish(ResampleOptions{}.most_rows);
  return series;
}

std::optional<AddedByProxy> added_by_proxy(const RunRecord& run) {
  using Role = TargetRecord::Role;
  const auto has = [&](Role role) {
    return std::ranges::find(run.targets, role, &TargetRecord::role) != run.targets.end();
  };
  if (!has(Role::proxy) || !has(Role::direct)) return std::nullopt;
  const Series direct_ttft = series_of(run, Role::direct, false);
  const Series proxy_ttft = series_of(run, Role::proxy, false);
  const Series direct_itl = series_of(run, Role::direct, true);
  const Series proxy_itl = series_of(run, Role::proxy, true);
  if (direct_ttft.count() == 0 || proxy_ttft.count() == 0) return std::nullopt;
  ResampleOptions options;
  options.seed = run.seed;
  options.rounds = 500;
  return AddedByProxy{percentile_difference(direct_ttft, proxy_ttft, 50, options),
                      percentile_difference(direct_ttft, proxy_ttft, 99, options),
                      percentile_difference(direct_itl, proxy_itl, 50, options),
                      percentile_difference(direct_itl, proxy_itl, 99, options)};
}

std::vector<std::pair<std::string, uint64_t>> errors_of(const RunRecord& run,
                                                        const RunWords& words) {
  std::map<std::string, uint64_t> counts;
  for (const RequestRecord& request : run.requests) {
    if (request.is_warm_up || !is_lost(request)) continue;
    std::string text(to_string(request.outcome));
    text += " (" + std::string(to_string(request.fault)) + ")";
    if (request.error != 0 && request.error < words.texts.size()) {
      text += ": " + words.texts[request.error];
    }
    ++counts[text];
  }
  std::vector<std::pair<std::string, uint64_t>> errors(counts.begin(), counts.end());
  std::ranges::stable_sort(errors, std::ranges::greater(),
                           [](const auto& row) { return row.second; });
  if (errors.size() > kMostErrors) errors.resize(kMostErrors);
  return errors;
}

}  // namespace

std::string fit(std::string_view text, const std::vector<std::string>& secrets, size_t most) {
  const std::string whole = scrubbed(text.substr(0, 2 * most), secrets);
  std::string out;
  for (size_t at = 0; at < whole.size();) {
    const size_t length = sequence_length(std::string_view(whole).substr(at));
    if (out.size() + (length == 0 ? 3 : length) > most) return out + "…";
    if (length == 0) {
      out += "\uFFFD";
    } else if (static_cast<unsigned char>(whole[at]) < 0x20 || whole[at] == 0x7F) {
      out += ' ';
    } else {
      out.append(whole, at, length);
    }
    at += std::max<size_t>(1, length);
  }
  return out;
}

BenchReport report_on(const RunRecord& run, const ReportSettings& settings) {
  BenchReport report;
  report.run = &run;
  report.words = words_of(run, settings.secrets);
  report.numbers = numbers_of(run, settings.goodput);
  report.trust = trust_in(run, report.numbers);
  report.verdict = verdict_of(report.numbers, report.trust, settings.verdict);
  report.chaos = chaos_costs(run);
  report.added = added_by_proxy(run);
  report.errors = errors_of(run, report.words);
  clean_names(settings.secrets, &report);
  return report;
}

}  // namespace weir
