// What an operator may do to a running weir through the admin side; lb/app does it. Loop thread
// only.
#pragma once

#include <string_view>

namespace weir {

class AdminActions {
 public:
  // Takes a backend out of work, or back into it. False: no backend is called that.
  virtual bool set_draining(std::string_view backend, bool draining) = 0;

 protected:
  ~AdminActions() = default;
};

}  // namespace weir
