// A callback of two words: an object and a thunk that calls one of its members directly. No
// allocation, no virtual call. The object must outlive every call; whoever holds a Callback does
// not own it.
#pragma once

namespace weir {

template <typename... Args>
class Callback {
 public:
  Callback() = default;
  Callback(void* object, void (*thunk)(void*, Args...)) : object_(object), thunk_(thunk) {}

  explicit operator bool() const { return thunk_ != nullptr; }
  void operator()(Args... args) const { thunk_(object_, args...); }

 private:
  void* object_ = nullptr;
  void (*thunk_)(void*, Args...) = nullptr;
};

namespace detail {

template <auto Method>
struct Bound;

template <typename T, typename... Args, void (T::*Method)(Args...)>
struct Bound<Method> {
  static Callback<Args...> to(T* object) {
    return Callback<Args...>(
        object, [](void* self, Args... args) { (static_cast<T*>(self)->*Method)(args...); });
  }
};

template <typename T, typename... Args, void (T::*Method)(Args...) noexcept>
struct Bound<Method> {
  static Callback<Args...> to(T* object) {
    return Callback<Args...>(
        object, [](void* self, Args... args) { (static_cast<T*>(self)->*Method)(args...); });
  }
};

}  // namespace detail

// bind<&BackendConnection::on_readable>(this)
template <auto Method, typename T>
auto bind(T* object) {
  return detail::Bound<Method>::to(object);
}

}  // namespace weir
