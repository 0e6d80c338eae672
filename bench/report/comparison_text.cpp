#include "bench/report/comparison.h"
#include "bench/report/json_out.h"
#include "bench/report/result_table.h"
#include "bench/report/text.h"

namespace weir {
namespace {

std::string value_text(const ComparedMeasure& measure, double value) {
  return measure.is_share ? in_percent(value) : ms_text(value);
}

std::string points_text(double share) {
  const std::string text = number_text(share * 100, 2) + " points";
  return share < 0 ? text : "+" + text;
}

bool has_interval(const Interval& interval) {
  return interval.low != 0 || interval.high != 0;
}

std::string change_of(const ComparedMeasure& measure) {
  const Difference& difference = measure.difference;
  if (measure.is_share) return points_text(difference.b - difference.a);
  return difference.a > 0 ? change_text(difference.b / difference.a - 1) : "-";
}

std::string interval_of(const ComparedMeasure& measure) {
  const Interval interval =
      measure.is_share ? measure.difference.absolute : measure.difference.relative;
  if (!has_interval(interval)) return "-";
  if (measure.is_share) {
    return "[" + points_text(interval.low) + ", " + points_text(interval.high) + "]";
  }
  return "[" + change_text(interval.low) + ", " + change_text(interval.high) + "]";
}

void put_interval(const Interval& interval, JsonOut* out) {
  if (!has_interval(interval)) return out->null();
  out->begin_array();
  out->number(interval.low);
  out->number(interval.high);
  out->end_array();
}

void write_run(std::string_view key, const RunFile& file, JsonOut* out) {
  out->key(key).begin_object();
  out->put("path", file.path);
  out->put("started_at", file.started_at);
  out->put("version", file.version);
  out->put("trusted", file.is_trusted);
  out->put("ok", file.ok);
  out->put("lost", file.lost);
  out->end_object();
}

}  // namespace

std::string comparison_table(const RunFile& a, const RunFile& b, const Comparison& comparison,
                             const ComparisonOptions& options) {
  std::string text =
      "A  " + a.path + "  " + a.started_at + "  " + counted(a.ok, "whole answer") + "\n";
  text += "B  " + b.path + "  " + b.started_at + "  " + counted(b.ok, "whole answer") + "\n\n";
  const std::string interval = in_percent(options.resample.confidence) + " interval";
  std::vector<TableRow> rows{{"measure", "A", "B", "unit", "change", interval, "finding"}};
  for (const ComparedMeasure& measure : comparison.measures) {
    std::string finding(to_string(measure.finding));
    if (!measure.why.empty()) finding += ": " + measure.why;
    rows.push_back({measure.name, value_text(measure, measure.difference.a),
                    value_text(measure, measure.difference.b), measure.is_share ? "" : measure.unit,
                    change_of(measure), interval_of(measure), finding});
  }
  text += aligned(rows) + "\n";
  for (const std::string& note : comparison.notes) text += "note: " + note + "\n";
  return text + comparison.verdict + "\n";
}

std::string comparison_json(const RunFile& a, const RunFile& b, const Comparison& comparison,
                            const ComparisonOptions& options) {
  JsonOut out(1);
  out.begin_object();
  write_run("a", a, &out);
  write_run("b", b, &out);
  out.put("threshold", options.threshold);
  out.put("confidence", options.resample.confidence);
  out.put("seed", options.resample.seed);
  out.put("rounds", options.resample.rounds);
  out.key("measures").begin_array();
  for (const ComparedMeasure& measure : comparison.measures) {
    const Difference& difference = measure.difference;
    out.begin_object();
    out.put("name", measure.name);
    out.put("unit", measure.is_share ? "share" : measure.unit);
    out.put("a", difference.a);
    out.put("b", difference.b);
    out.key("change");
    difference.a > 0 ? out.number(difference.b / difference.a - 1) : out.null();
    out.key("change_interval");
    put_interval(difference.relative, &out);
    out.put("difference", difference.b - difference.a);
    out.key("difference_interval");
    put_interval(difference.absolute, &out);
    out.put("finding", to_string(measure.finding));
    out.put("why", measure.why);
    out.end_object();
  }
  out.end_array();
  out.key("notes").begin_array();
  for (const std::string& note : comparison.notes) out.text(note);
  out.end_array();
  out.put("verdict", comparison.verdict);
  out.put("exit_status", comparison.exit_status);
  out.end_object();
  return out.take() + "\n";
}

}  // namespace weir
