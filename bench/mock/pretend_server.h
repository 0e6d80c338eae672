// One pretend vLLM: an address, an engine, connections and the faults it was told. Owned by
// run_mock; loop thread only.
//
//   loading (bound, refuses) ──load time──▶ serving ──terminate()──▶ ending ──nothing left──▶
//   stopped
//                                              └──die()──▶ stopped, all connections reset
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/mock/connection.h"
#include "bench/mock/engine.h"
#include "bench/mock/http_text.h"
#include "bench/mock/inference_request.h"
#include "bench/mock/metrics_text.h"
#include "bench/mock/mock_options.h"
#include "bench/mock/routes.h"
#include "lb/net/event_loop.h"
#include "lb/net/io_event.h"
#include "lb/net/socket.h"

namespace weir {

struct AnswerHead;

class PretendServer;

class PretendServerUser {
 public:
  virtual void on_died(PretendServer& server) = 0;     // a fault; may not return
  virtual void on_stopped(PretendServer& server) = 0;  // after terminate()

 protected:
  ~PretendServerUser() = default;
};

class PretendServer {
 public:
  PretendServer(EventLoop& loop, BlockPool& pool, const MockOptions& options,
                PretendServerUser& user);
  ~PretendServer();
  PretendServer(const PretendServer&) = delete;
  PretendServer& operator=(const PretendServer&) = delete;

  Result<Ok, Problem> start(const Address& address);
  void terminate(OnTerm how);  // a second call changes nothing
  void die();
  bool is_stopped() const { return state_ == State::stopped; }

  // For connections.
  void handle(MockConnection& connection);
  void remove(MockConnection& connection);
  bool drops_reused(const Fault& own) const;
  Duration idle_limit(const Fault& own) const;
  std::string_view date();

  // For generations.
  EventLoop& loop() { return loop_; }
  const MockOptions& options() const { return options_; }
  MockCounters& counters() { return counters_; }
  std::string& scratch() { return scratch_; }
  AnswerHead new_answer(const InferenceRequest& request, std::string_view request_id);
  void submit(Sequence& sequence);
  void release(Sequence& sequence);
  void count_success(std::string_view finish_reason);

 private:
  enum class State : uint8_t { loading, serving, ending, stopped };

  void on_loaded();
  void watch_listener();
  void on_acceptable(Readiness readiness);
  void on_engine_due();
  void on_ending_due();
  void schedule_engine();
  void close_listener();
  void close_idle_connections();
  void close_all(bool with_reset);
  void abort_all();
  void finish_ending();
  std::vector<MockConnection*> all_connections() const;
  size_t load() const;  // inference requests in progress
  void say(std::string_view text) const;

  void dispatch(MockConnection& connection, MockRoute route, const Fault& fault);
  void answer_health(MockConnection& connection, const Fault& fault);
  void answer_models(MockConnection& connection);
  void answer_metrics(MockConnection& connection);
  void answer_embeddings(MockConnection& connection);
  void answer_tokenize(MockConnection& connection);
  void take_fault(MockConnection& connection);
  void start_inference(MockConnection& connection, bool is_chat, Fault fault);
  void apply(const Fault& fault);
  Fault take_request_fault();
  const Fault* find_fault(FaultKind kind) const;
  ModelLimits limits() const { return {options_.model, options_.max_model_len}; }
  EngineGauges gauges() const;

  EventLoop& loop_;
  BlockPool& pool_;
  const MockOptions& options_;
  PretendServerUser& user_;
  std::string name_;  // for messages: the address
  State state_ = State::loading;
  OnTerm ending_how_ = OnTerm::abort;
  bool is_frozen_ = false;  // the engine gives no token any more
  bool is_stepping_ = false;
  UniqueFd listener_;
  IoEvent listener_event_;
  Timer accept_timer_;  // runs while there is no descriptor left to accept with
  Engine engine_;
  Timer engine_timer_;
  Task engine_task_;
  Timer state_timer_;   // until it is ready, or dies at start
  Timer ending_timer_;  // the next thing to close
  TimePoint ending_by_{};
  std::vector<Fault> faults_;
  MockCounters counters_;
  HttpDate date_;
  std::string scratch_;
  int64_t started_ = 0;  // seconds since 1970
  uint64_t next_id_ = 0;
  std::unordered_map<MockConnection*, std::unique_ptr<MockConnection>> connections_;
};

}  // namespace weir
