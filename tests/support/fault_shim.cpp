// A library for LD_PRELOAD that lets system calls on stream sockets fail or do less than they
// could, as a kernel under pressure does. Any thread. Made for
// tests/integration/test_faulty_system.py; says nothing and changes nothing when WEIR_FAULTS is not
// set.
//
//   WEIR_FAULTS="seed=7 short=200 again=100 intr=50 accept=100 socket=30 wait=20"
//       chances out of 1,000: a read or a write moves few bytes, or none (EAGAIN), or is
//       interrupted (EINTR); accept4 fails (EMFILE, ENFILE, ECONNABORTED, ENOMEM, EINTR); socket
//       fails (EMFILE, ENFILE, ENOMEM, ENOBUFS); epoll_wait is interrupted
//   WEIR_FAULT_FULL=PATH     while this file exists every accept4 and socket fails with EMFILE
//   WEIR_FAULT_COUNTS=PATH   32 bytes: calls of accept4, faults of accept4, of reads and writes, of
//   the
//                            rest; as uint64_t of this machine
//
// Edges: who moved fewer bytes than it asked for may wait for the next edge, which the kernel gives
// only where that was true. So after each such lie the socket is armed anew (EPOLL_CTL_MOD with
// what it was added with): what is still possible is reported again, as if it had just become so.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>

namespace {

constexpr int kDescriptors = 4096;  // beyond these nothing fails

struct Chances {
  uint64_t seed, few, again, interrupt, accept, socket, wait;
};

struct Armed {
  int epoll = -1;
  epoll_event event{};
};

struct Shim {
  Chances chances{};
  const char* full = nullptr;
  std::atomic<uint64_t>* counts = nullptr;
  std::atomic<uint64_t> state{0};
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // of `armed`
  Armed armed[kDescriptors];
};

enum Count { kAccepts, kAcceptFaults, kByteFaults, kOtherFaults };

uint64_t number(const char* text, const char* name) {
  const char* found = strstr(text, name);
  return found == nullptr ? 0 : strtoull(found + strlen(name), nullptr, 10);
}

Shim* make_shim() {
  static Shim shim;
  const char* faults = getenv("WEIR_FAULTS");
  if (faults == nullptr) return &shim;
  shim.chances = {number(faults, "seed="), number(faults, "short="),  number(faults, "again="),
                  number(faults, "intr="), number(faults, "accept="), number(faults, "socket="),
                  number(faults, "wait=")};
  shim.state = shim.chances.seed * 2654435761U + 1;
  shim.full = getenv("WEIR_FAULT_FULL");
  const char* path = getenv("WEIR_FAULT_COUNTS");
  const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return &shim;
  void* place = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);  // ours asks for what is only being made here
  if (place != MAP_FAILED) shim.counts = static_cast<std::atomic<uint64_t>*>(place);
  return &shim;
}

Shim& shim() {
  static Shim* const the_one = make_shim();
  return *the_one;
}

template <class Function>
Function next(Function, const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  Function function;
  memcpy(&function, &found, sizeof function);
  return function;
}

#define NEXT(name) static const auto real = next(&::name, #name)

void count(Count what) {
  if (shim().counts != nullptr) shim().counts[what].fetch_add(1, std::memory_order_relaxed);
}

// Each draw is a number of its own, whatever thread asks.
uint64_t draw() {
  uint64_t x = shim().state.fetch_add(0x9E3779B97F4A7C15U, std::memory_order_relaxed);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

bool strikes(uint64_t chance) {
  return chance != 0 && draw() % 1000 < chance;
}

bool is_full() {
  return shim().full != nullptr && access(shim().full, F_OK) == 0;
}

void remember(int epoll, int operation, int fd, const epoll_event* event) {
  if (fd < 0 || fd >= kDescriptors) return;
  Shim& self = shim();
  pthread_mutex_lock(&self.mutex);
  self.armed[fd] = operation == EPOLL_CTL_DEL || event == nullptr ? Armed{} : Armed{epoll, *event};
  pthread_mutex_unlock(&self.mutex);
}

// Whether a lie about `fd` can be made good: it is watched for edges.
bool may_lie(int fd) {
  if (fd < 0 || fd >= kDescriptors) return false;
  Shim& self = shim();
  pthread_mutex_lock(&self.mutex);
  const bool is_armed =
      self.armed[fd].epoll >= 0 && (self.armed[fd].event.events & uint32_t{EPOLLET}) != 0;
  pthread_mutex_unlock(&self.mutex);
  return is_armed;
}

void arm_anew(int fd) {
  NEXT(epoll_ctl);
  const int error = errno;
  Shim& self = shim();
  pthread_mutex_lock(&self.mutex);
  Armed armed = self.armed[fd];
  pthread_mutex_unlock(&self.mutex);
  if (armed.epoll >= 0) real(armed.epoll, EPOLL_CTL_MOD, fd, &armed.event);
  errno = error;
}

enum class Fault { none, few, again, interrupt };

Fault choose(int fd) {
  const Chances& chances = shim().chances;
  if (chances.few + chances.again + chances.interrupt == 0 || !may_lie(fd)) return Fault::none;
  const uint64_t drawn = draw() % 1000;
  if (drawn < chances.few) return Fault::few;
  if (drawn < chances.few + chances.again) return Fault::again;
  if (drawn < chances.few + chances.again + chances.interrupt) return Fault::interrupt;
  return Fault::none;
}

// At most so many bytes, and never more than were asked for.
size_t few(size_t asked) {
  const size_t most = draw() % 4 == 0 ? 1 : 1 + draw() % 100;
  return most < asked ? most : asked;
}

// -1 with its errno, where the call fails without being made.
bool fails(int fd, Fault fault) {
  if (fault != Fault::again && fault != Fault::interrupt) return false;
  count(kByteFaults);
  if (fault == Fault::again) arm_anew(fd);
  errno = fault == Fault::again ? EAGAIN : EINTR;
  return true;
}

int refuse(const int* errors, size_t many) {
  errno = errors[draw() % many];
  return -1;
}

// What a call that was made to do less has done.
ssize_t did_less(int fd, ssize_t done) {
  if (done <= 0) return done;
  count(kByteFaults);
  arm_anew(fd);
  return done;
}

}  // namespace

extern "C" {

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  NEXT(epoll_ctl);
  const int done = real(epoll, operation, fd, event);
  if (done == 0) remember(epoll, operation, fd, event);
  return done;
}

int close(int fd) {
  NEXT(close);
  remember(-1, EPOLL_CTL_DEL, fd, nullptr);
  return real(fd);
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  NEXT(epoll_wait);
  if (strikes(shim().chances.wait)) {
    count(kOtherFaults);
    errno = EINTR;
    return -1;
  }
  return real(epoll, events, most, timeout);
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  NEXT(recv);
  const Fault fault = choose(fd);
  if (fails(fd, fault)) return -1;
  if (fault != Fault::few || size < 2) return real(fd, buffer, size, flags);
  return did_less(fd, real(fd, buffer, few(size), flags));
}

ssize_t readv(int fd, const iovec* pieces, int many) {
  NEXT(readv);
  const Fault fault = choose(fd);
  if (fails(fd, fault)) return -1;
  if (fault != Fault::few || many == 0) return real(fd, pieces, many);
  iovec first = pieces[0];
  first.iov_len = few(first.iov_len);
  return did_less(fd, real(fd, &first, 1));
}

ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  NEXT(send);
  const Fault fault = choose(fd);
  if (fails(fd, fault)) return -1;
  if (fault != Fault::few || size < 2) return real(fd, buffer, size, flags);
  return did_less(fd, real(fd, buffer, few(size), flags));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  NEXT(sendmsg);
  const Fault fault = choose(fd);
  if (fails(fd, fault)) return -1;
  if (fault != Fault::few || message->msg_iovlen == 0) return real(fd, message, flags);
  iovec first = message->msg_iov[0];
  if (first.iov_len == 0) return real(fd, message, flags);
  first.iov_len = few(first.iov_len);
  msghdr shorter = *message;
  shorter.msg_iov = &first;
  shorter.msg_iovlen = 1;
  return did_less(fd, real(fd, &shorter, flags));
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  NEXT(accept4);
  static const int kErrors[] = {EMFILE, ENFILE, ECONNABORTED, ENOMEM, EINTR};
  count(kAccepts);
  const bool full = is_full();
  if (!full && !strikes(shim().chances.accept)) return real(fd, address, length, flags);
  count(kAcceptFaults);
  return refuse(kErrors, full ? 1 : 5);
}

int socket(int domain, int type, int protocol) noexcept {
  NEXT(socket);
  static const int kErrors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
  const bool is_stream = (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM;
  const bool full = is_stream && is_full();
  if (!full && !(is_stream && strikes(shim().chances.socket))) return real(domain, type, protocol);
  count(kOtherFaults);
  return refuse(kErrors, full ? 1 : 4);
}

}  // extern "C"
