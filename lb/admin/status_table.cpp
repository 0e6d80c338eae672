#include "lb/admin/status_table.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "weir/json_string.h"

namespace weir {
namespace {

constexpr size_t kWidestCell = 60;
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";

struct Cell {
  std::string text;
  std::string_view colour;
  bool is_number = false;
};
using Row = std::vector<Cell>;

Cell word(std::string_view text) {
  Cell cell;
  append_plain_text(cell.text, text, kWidestCell);
  return cell;
}

Cell number(std::string text) {
  return {std::move(text), {}, true};
}

std::string_view colour_of(BackendStateName state) {
  switch (state) {
    case BackendStateName::ready:
      return kGreen;
    case BackendStateName::ejected:
    case BackendStateName::down:
    case BackendStateName::failed:
      return kRed;
    default:
      return kYellow;
  }
}

// The last column is not padded.
std::string layout(const std::vector<Row>& rows, TableStyle style) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].text.size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line = " ";
    for (size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = row[i];
      const std::string blanks(widths[i] - cell.text.size(), ' ');
      const bool is_coloured = style.has_colour && !cell.colour.empty();
      line += ' ';
      if (cell.is_number) line += blanks;
      line += is_coloured ? std::string(cell.colour) + cell.text + std::string(kPlain) : cell.text;
      if (!cell.is_number && i + 1 < row.size()) line += blanks;
      if (i + 1 < row.size()) line += ' ';
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

// The reason of its state, and what a person wants to know besides.
std::string note_of(const BackendView& backend) {
  std::string note = backend.reason;
  const auto add = [&note](const std::string& more) { note += (note.empty() ? "" : "; ") + more; };
  if (backend.share < 100) add("slow start, " + std::to_string(backend.share) + " % of its share");
  if (backend.is_tried) add("on trial");
  if (backend.declines) add("declines requests, so others are asked first");
  if (backend.state == BackendStateName::ejected && backend.ejections > 1)
    add("for the " + std::to_string(backend.ejections) + ". time");
  return note;
}

Row backend_row(const BackendView& backend) {
  Cell state = word(to_string(backend.state));
  state.colour = colour_of(backend.state);
  std::string outstanding = std::to_string(backend.outstanding);
  if (backend.max_outstanding > 0) outstanding += "/" + std::to_string(backend.max_outstanding);
  return {word(backend.id),
          state,
          number(span_text(backend.in_state)),
          number(std::move(outstanding)),
          number(std::to_string(backend.served)),
          number(std::to_string(backend.failures)),
          word(note_of(backend))};
}

Row heading(std::initializer_list<std::string_view> names, std::initializer_list<bool> numbers) {
  Row row;
  const bool* is_number = numbers.begin();
  for (const std::string_view name : names) row.push_back({std::string(name), {}, *is_number++});
  return row;
}

std::string pool_text(const PoolView& pool, TableStyle style) {
  const auto ready =
      std::ranges::count(pool.backends, BackendStateName::ready, &BackendView::state);
  std::string out = "pool " + word(pool.name).text + "  policy " + pool.policy + "  " +
                    std::to_string(ready) + " of " + std::to_string(pool.backends.size()) +
                    " ready  waiting " + std::to_string(pool.waiting.length);
  if (pool.waiting.limit != WaitingRoomView::kNoLimit)
    out += " of " + std::to_string(pool.waiting.limit);
  if (pool.waiting.length > 0) out += " (oldest " + span_text(pool.waiting.oldest) + ")";
  if (pool.pending > 0) out += "  " + std::to_string(pool.pending) + " more may come";
  out += "\n";
  if (pool.backends.empty()) return out;
  std::vector<Row> rows{
      heading({"backend", "state", "for", "outstanding", "served", "failures", "reason"},
              {false, false, true, true, true, true, false})};
  for (const BackendView& backend : pool.backends) rows.push_back(backend_row(backend));
  return out + layout(rows, style);
}

std::string replicas_text(const std::vector<ReplicaView>& replicas, TableStyle style) {
  std::vector<Row> rows{heading({"replica", "node", "gpus", "state", "for", "restarts", "note"},
                                {false, false, false, false, true, true, false})};
  for (const ReplicaView& replica : replicas) {
    rows.push_back({word(replica.id), word(replica.node), word(replica.gpus), word(replica.state),
                    number(span_text(replica.in_state)), number(std::to_string(replica.restarts)),
                    word(replica.note)});
  }
  return "replicas\n" + layout(rows, style);
}

}  // namespace

std::string span_text(Duration span) {
  struct Unit {
    std::string_view name;
    int64_t seconds;
  };
  constexpr std::array<Unit, 4> kUnits{{{"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}}};
  const int64_t total = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (total <= 0) return "0s";
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (total < kUnits[i].seconds) continue;
    std::string text = std::to_string(total / kUnits[i].seconds) + std::string(kUnits[i].name);
    const int64_t rest = total % kUnits[i].seconds;
    if (i + 1 < kUnits.size() && rest >= kUnits[i + 1].seconds) {
      text += std::to_string(rest / kUnits[i + 1].seconds) + std::string(kUnits[i + 1].name);
    }
    return text;
  }
  return "0s";
}

size_t ready_count(const InstanceView& view) {
  size_t count = 0;
  for (const PoolView& pool : view.pools) {
    count += static_cast<size_t>(
        std::ranges::count(pool.backends, BackendStateName::ready, &BackendView::state));
  }
  return count;
}

std::string instance_line(const InstanceView& view) {
  std::string out = "weir " + word(view.command).text;
  if (!view.instance.empty()) out += "  instance " + word(view.instance).text;
  out += "  pid " + std::to_string(view.pid) + "  up " + span_text(view.uptime);
  if (!view.listeners.empty()) out += "  on";
  for (const std::string& listener : view.listeners) out += " " + word(listener).text;
  if (view.is_draining) out += "  draining";
  return out;
}

std::string status_table(const InstanceView& view, TableStyle style) {
  std::string out = instance_line(view) + "\n";
  out += std::to_string(view.in_flight) + " requests in flight, " +
         std::to_string(view.client_connections) + " client connections";
  if (view.workers.size() > 1) out += ", " + std::to_string(view.workers.size()) + " workers";
  if (!view.config_source.empty()) {
    out += ", config " + word(view.config_source).text + " (generation " +
           std::to_string(view.config_generation) + ")";
  }
  out += "\n";
  for (const PoolView& pool : view.pools) out += "\n" + pool_text(pool, style);
  if (!view.replicas.empty()) out += "\n" + replicas_text(view.replicas, style);
  return out;
}

}  // namespace weir
