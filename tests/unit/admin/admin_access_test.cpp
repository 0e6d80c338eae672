#include "lb/admin/admin_access.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr AdminGate kTcp{false, "gateway", "sesame-open"};
constexpr AdminGate kSocket{true, "/run/weir/1.sock", ""};

AdminRequest get(std::string_view host, std::string_view origin = "") {
  AdminRequest request;
  request.method = "GET";
  request.path = "/api/v1/status";
  request.host = host;
  request.origin = origin;
  return request;
}

AdminRequest post(std::string_view authorization) {
  AdminRequest request = get("localhost:9090");
  request.method = "POST";
  request.authorization = authorization;
  return request;
}

TEST(AdminAccessTest, OnlyHostsThatAreOursMayAsk) {
  for (const char* host : {"127.0.0.1:9090", "[::1]:9090", "localhost:9090", "localhost",
                           "gateway:9090", "10.1.2.3"}) {
    EXPECT_EQ(admit_admin(get(host), kTcp).status, 200) << host;
  }
  for (const char* host : {"evil.example:9090", "", "127.0.0.1.evil.example", "[::1"}) {
    EXPECT_EQ(admit_admin(get(host), kTcp).status, 403) << host;
  }
  // A unix socket has no name to be tricked about.
  EXPECT_EQ(admit_admin(get(""), kSocket).status, 200);
}

TEST(AdminAccessTest, PagesOfOtherSitesAreRefused) {
  EXPECT_EQ(admit_admin(get("localhost:9090", "http://localhost:9090"), kTcp).status, 200);
  EXPECT_EQ(admit_admin(get("localhost:9090", "http://evil.example"), kTcp).status, 403);
  EXPECT_EQ(admit_admin(get("localhost:9090", "null"), kTcp).status, 403);
  EXPECT_EQ(admit_admin(get("", "http://evil.example"), kSocket).status, 403);
}

TEST(AdminAccessTest, AForeignPageIsRefusedEvenWithTheToken) {
  AdminRequest request = post("Bearer sesame-open");
  request.origin = "http://evil.example";
  EXPECT_EQ(admit_admin(request, kTcp).status, 403);
  request.origin = "";
  request.host = "evil.example:9090";
  EXPECT_EQ(admit_admin(request, kTcp).status, 403);
}

TEST(AdminAccessTest, OverTcpAPostNeedsTheToken) {
  EXPECT_EQ(admit_admin(post("Bearer sesame-open"), kTcp).status, 200);
  EXPECT_EQ(admit_admin(post("bearer sesame-open"), kTcp).status, 200);
  for (const char* wrong : {"", "sesame-open", "Bearer", "Bearer ", "Bearer sesame-opem",
                            "Bearer sesame-open ", "Bearer sesame", "Basic sesame-open"}) {
    const AdminAnswer answer = admit_admin(post(wrong), kTcp);
    EXPECT_EQ(answer.status, 401) << wrong;
    EXPECT_TRUE(answer.asks_for_token) << wrong;
    EXPECT_EQ(answer.body.find("sesame"), std::string::npos);
  }
  AdminRequest local = post("");
  local.is_own_user = true;  // says nothing over TCP
  EXPECT_EQ(admit_admin(local, kTcp).status, 401);
}

TEST(AdminAccessTest, WithoutATokenNobodyCanPostOverTcp) {
  constexpr AdminGate kNone{false, "", ""};
  for (const char* any : {"", "Bearer ", "Bearer x"}) {
    EXPECT_EQ(admit_admin(post(any), kNone).status, 401) << any;
  }
}

TEST(AdminAccessTest, OnTheSocketAPostIsThisUsers) {
  AdminRequest request = post("");
  EXPECT_EQ(admit_admin(request, kSocket).status, 403);
  request.is_own_user = true;
  EXPECT_EQ(admit_admin(request, kSocket).status, 200);
}

TEST(AdminAccessTest, OtherMethodsAndBodiesAreRefused) {
  AdminRequest request = get("localhost");
  request.method = "DELETE";
  EXPECT_EQ(admit_admin(request, kTcp).status, 405);
  EXPECT_EQ(admit_admin(request, kTcp).allow, "GET, HEAD, POST");
  request.method = "HEAD";
  EXPECT_EQ(admit_admin(request, kTcp).status, 200);
  request.has_body = true;
  EXPECT_EQ(admit_admin(request, kTcp).status, 413);
}

}  // namespace
}  // namespace weir
