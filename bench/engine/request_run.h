// One request in flight: chooses its target, connects or takes an idle connection, sends, and hands
// what it receives, with the time it arrived, to its AnswerReader. Owned by its LoadWorker and used
// again for one request after the other. Worker thread.
//
//   connecting ──▶ answering ──▶ ended (told to the worker)
//        ▲─ once more, when a reused connection died before a byte ─┘
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/engine/answer_reader.h"
#include "bench/engine/load_options.h"
#include "bench/engine/work.h"
#include "lb/backend/backend_connection.h"
#include "lb/balance/balancer.h"

namespace weir {

class LoadWorker;

class RequestRun final : public BackendConnectionUser {
 public:
  explicit RequestRun(LoadWorker& worker);
  RequestRun(const RequestRun&) = delete;
  RequestRun& operator=(const RequestRun&) = delete;
  ~RequestRun();

  // `history`: of the session so far; empty for the first turn.
  void start(const PlannedWork& plan, int64_t planned_ns, std::string history);
  void give_up(RequestOutcome outcome, RequestFault fault);  // ends now; the worker is told

  RequestRecord& record() { return record_; }
  const PlannedWork& plan() const { return plan_; }
  const AnswerReader& answer() const { return reader_; }
  std::string take_history() { return std::move(history_); }

  size_t position = 0;  // in the worker's list of requests in flight

 private:
  void on_backend_connected() override;
  void on_backend_readable() override;
  void on_backend_writable() override;
  void on_backend_failed(const Error& error) override;

  bool choose_target();
  bool take_lease();
  void go();
  void tell_balancer(const Error& error);
  void open(bool may_reuse);
  void send();
  int64_t receive_time(int64_t stamp_ns);
  void on_close(int os_error);
  void end();

  LoadWorker& worker_;
  AnswerReader reader_;
  RequestRecord record_;
  PlannedWork plan_;
  Wish wish_;  // direct: not those that refused this request already
  size_t excluded_ = 0;
  Lease lease_;
  Place place_;  // never used: nobody waits in line here
  std::string history_;
  std::string head_;
  std::string body_;
  std::unique_ptr<BackendConnection> connection_;
};

}  // namespace weir
