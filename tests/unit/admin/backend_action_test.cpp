#include "lb/admin/backend_action.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// One pool whose backend "n 1/a" does as it is told.
class Pool final : public LiveView, public AdminActions {
 public:
  InstanceView look() const override {
    BackendView backend;
    backend.id = "n 1/a";
    backend.state = is_drained ? BackendStateName::draining : BackendStateName::ready;
    backend.reason = is_drained ? "drained by request" : "probe: answered 200";
    backend.outstanding = 2;
    InstanceView view;
    view.pools.emplace_back();
    view.pools[0].name = "p";
    view.pools[0].backends = {backend};
    return view;
  }
  bool set_draining(std::string_view backend, bool draining) override {
    if (backend != "n 1/a") return false;
    is_drained = draining;
    return true;
  }

  bool is_drained = false;
};

AdminAnswer ask(Pool& pool, const std::string& path, std::string_view method = "POST") {
  const std::optional<BackendAction> action = parse_backend_action(path);
  if (!action) {
    ADD_FAILURE() << path;
    return {};
  }
  AdminRequest request;
  request.method = method;
  request.path = path;
  return answer_action(*action, request, pool, pool);
}

TEST(BackendActionTest, DrainsAndTakesBack) {
  Pool pool;
  EXPECT_EQ(ask(pool, "/api/v1/backends/n%201%2Fa/drain").body,
            "{\"backend\":\"n 1/a\",\"pool\":\"p\",\"state\":\"draining\","
            "\"reason\":\"drained by request\",\"outstanding\":2}\n");
  EXPECT_TRUE(pool.is_drained);
  EXPECT_EQ(ask(pool, "/api/v1/backends/n%201%2fa/undrain").status, 200);
  EXPECT_FALSE(pool.is_drained);
}

TEST(BackendActionTest, APathIsReadBackToTheSameAction) {
  for (const char* name :
       {"a", "host:8000", "unix:/run/x.sock", "n 1/a", "100%", "\u00fc", "[::1]:1"}) {
    for (const bool is_drain : {true, false}) {
      const std::string path = backend_action_path({name, is_drain});
      const std::optional<BackendAction> action = parse_backend_action(path);
      ASSERT_TRUE(action) << path;
      EXPECT_EQ(action->backend, name);
      EXPECT_EQ(action->is_drain, is_drain);
    }
  }
}

TEST(BackendActionTest, WhatIsNoneIsNotTakenForOne) {
  for (const char* path :
       {"/api/v1/backends", "/api/v1/backends/", "/api/v1/backends/drain",
        "/api/v1/backends//drain", "/api/v1/backends/a/b/drain", "/api/v1/backends/a",
        "/api/v1/backends/a/drain/", "/api/v1/backends/a/restart", "/api/v2/backends/a/drain",
        "/api/v1/backends/a/Drain"}) {
    EXPECT_FALSE(parse_backend_action(path)) << path;
  }
}

TEST(BackendActionTest, ANameThatCannotBeDecodedIsABadRequest) {
  Pool pool;
  for (const char* name : {"%", "%4", "%zz", "a%0a", "%00", "a%7F", "%-1"}) {
    EXPECT_EQ(ask(pool, "/api/v1/backends/" + std::string(name) + "/drain").status, 400) << name;
  }
}

TEST(BackendActionTest, AnUnknownBackendIsAnsweredWithTheKnownOnes) {
  Pool pool;
  const AdminAnswer answer = ask(pool, "/api/v1/backends/x/drain");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(
      answer.body,
      "{\"error\":{\"code\":\"no_such_backend\",\"message\":\"no backend is called \\\"x\\\"\","
      "\"help\":\"there are n 1/a\"}}\n");
}

TEST(BackendActionTest, ReadingChangesNothing) {
  Pool pool;
  const AdminAnswer answer = ask(pool, "/api/v1/backends/n%201%2Fa/drain", "GET");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.allow, "POST");
  EXPECT_FALSE(pool.is_drained);
}

}  // namespace
}  // namespace weir
