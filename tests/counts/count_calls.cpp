// Counts what the program it is preloaded into asks of the kernel and of malloc, and shows the
// numbers in a file that several processes may look at. Built by tests/counts/run.py for
// LD_PRELOAD; glibc only; any thread.
//
// A call is counted when it is made through the C library's function of that name, so a library
// that makes its system calls itself would be missed; neither weir nor libevent does.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

#include <dlfcn.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>

// glibc's own names of its allocator.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace {

// The order is that of NAMES in counted.py.
enum Counter {
  reads,         // that gave bytes, or the end
  empty_reads,   // EAGAIN
  writes,        // that took bytes
  full_writes,   // EAGAIN
  waits,         // epoll_wait that gave events, or that did not wait
  idle_waits,    // epoll_wait that ended by its time-out
  broken_waits,  // epoll_wait that a signal ended
  controls,      // epoll_ctl
  options,       // getsockopt, setsockopt, ioctl, fcntl, names of sockets
  others,        // everything else that is counted: accept, connect, close, …
  allocations,
  bytes_in_use,
  kCounters
};

std::atomic<uint64_t> own_page[kCounters];
std::atomic<uint64_t>* counters = own_page;

void add(Counter counter, uint64_t value = 1) {
  counters[counter].fetch_add(value, std::memory_order_relaxed);
}

// Children (a program that weir starts) must not count into the same file.
__attribute__((constructor)) void open_counters() {
  const char* path = getenv("WEIR_COUNTS");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || ftruncate(fd, sizeof own_page) != 0) abort();
  void* page = mmap(nullptr, sizeof own_page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) abort();
  close(fd);
  auto* shared = static_cast<std::atomic<uint64_t>*>(page);
  for (int i = 0; i < kCounters; ++i) shared[i] = own_page[i].load();
  counters = shared;
  unsetenv("WEIR_COUNTS");
  unsetenv("LD_PRELOAD");
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t counted(ssize_t result, Counter done, Counter blocked) {
  const int error = errno;
  add(result < 0 && error == EAGAIN ? blocked : done);
  errno = error;
  return result;
}

ssize_t read_of(ssize_t result) {
  return counted(result, reads, empty_reads);
}
ssize_t write_of(ssize_t result) {
  return counted(result, writes, full_writes);
}

void* allocated(void* memory) {
  if (memory == nullptr) return nullptr;
  add(allocations);
  add(bytes_in_use, malloc_usable_size(memory));
  return memory;
}

}  // namespace

#define NEXT(name) static auto* const real = next<decltype(name)>(#name)

extern "C" {

ssize_t recv(int fd, void* to, size_t size, int flags) {
  NEXT(recv);
  return read_of(real(fd, to, size, flags));
}
ssize_t recvfrom(int fd, void* __restrict to, size_t size, int flags, sockaddr* __restrict who,
                 socklen_t* __restrict length) {
  NEXT(recvfrom);
  return read_of(real(fd, to, size, flags, who, length));
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  NEXT(recvmsg);
  return read_of(real(fd, message, flags));
}
ssize_t read(int fd, void* to, size_t size) {
  NEXT(read);
  return read_of(real(fd, to, size));
}
ssize_t readv(int fd, const iovec* pieces, int count) {
  NEXT(readv);
  return read_of(real(fd, pieces, count));
}
ssize_t __read_chk(int fd, void* to, size_t size, size_t) {
  return read(fd, to, size);
}
ssize_t __recv_chk(int fd, void* to, size_t size, size_t, int flags) {
  return recv(fd, to, size, flags);
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  NEXT(send);
  return write_of(real(fd, from, size, flags));
}
ssize_t sendto(int fd, const void* from, size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  NEXT(sendto);
  return write_of(real(fd, from, size, flags, to, length));
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  NEXT(sendmsg);
  return write_of(real(fd, message, flags));
}
ssize_t write(int fd, const void* from, size_t size) {
  NEXT(write);
  return write_of(real(fd, from, size));
}
ssize_t writev(int fd, const iovec* pieces, int count) {
  NEXT(writev);
  return write_of(real(fd, pieces, count));
}

int epoll_wait(int fd, epoll_event* events, int most, int timeout) {
  NEXT(epoll_wait);
  const int result = real(fd, events, most, timeout);
  const int error = errno;
  const bool is_broken = result < 0 && error == EINTR;
  add(is_broken ? broken_waits : result == 0 && timeout != 0 ? idle_waits : waits);
  errno = error;
  return result;
}
int epoll_ctl(int fd, int operation, int of, epoll_event* event) {
  NEXT(epoll_ctl);
  add(controls);
  return real(fd, operation, of, event);
}

int getsockopt(int fd, int level, int name, void* __restrict value, socklen_t* __restrict length) {
  NEXT(getsockopt);
  add(options);
  return real(fd, level, name, value, length);
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  NEXT(setsockopt);
  add(options);
  return real(fd, level, name, value, length);
}
int ioctl(int fd, unsigned long request, ...) {
  NEXT(ioctl);
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  add(options);
  return real(fd, request, argument);
}
int fcntl(int fd, int command, ...) {
  NEXT(fcntl);
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  add(options);
  return real(fd, command, argument);
}
int getsockname(int fd, sockaddr* __restrict name, socklen_t* __restrict length) {
  NEXT(getsockname);
  add(options);
  return real(fd, name, length);
}
int getpeername(int fd, sockaddr* __restrict name, socklen_t* __restrict length) {
  NEXT(getpeername);
  add(options);
  return real(fd, name, length);
}

int accept4(int fd, sockaddr* __restrict who, socklen_t* __restrict length, int flags) {
  NEXT(accept4);
  add(others);
  return real(fd, who, length, flags);
}
int connect(int fd, const sockaddr* to, socklen_t length) {
  NEXT(connect);
  add(others);
  return real(fd, to, length);
}
int socket(int domain, int type, int protocol) {
  NEXT(socket);
  add(others);
  return real(domain, type, protocol);
}
int shutdown(int fd, int how) {
  NEXT(shutdown);
  add(others);
  return real(fd, how);
}
int close(int fd) {
  NEXT(close);
  add(others);
  return real(fd);
}
int timerfd_settime(int fd, int flags, const itimerspec* next_time, itimerspec* old) {
  NEXT(timerfd_settime);
  add(others);
  return real(fd, flags, next_time, old);
}
ssize_t getrandom(void* to, size_t size, unsigned flags) {
  NEXT(getrandom);
  add(others);
  return real(to, size, flags);
}

void* malloc(size_t size) {
  return allocated(__libc_malloc(size));
}
void* calloc(size_t count, size_t size) {
  return allocated(__libc_calloc(count, size));
}
void* memalign(size_t alignment, size_t size) {
  return allocated(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** to, size_t alignment, size_t size) {
  *to = memalign(alignment, size);
  return *to == nullptr ? ENOMEM : 0;
}
void* realloc(void* memory, size_t size) {
  const size_t before = memory == nullptr ? 0 : malloc_usable_size(memory);
  void* result = __libc_realloc(memory, size);
  if (result == nullptr && size != 0) return nullptr;
  add(bytes_in_use, uint64_t{0} - before);
  return allocated(result);
}
void free(void* memory) {
  if (memory == nullptr) return;
  add(bytes_in_use, uint64_t{0} - malloc_usable_size(memory));
  __libc_free(memory);
}

}  // extern "C"
