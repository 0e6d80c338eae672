#include "lb/app/service_manager.h"

#ifdef WEIR_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace weir {

void tell_service_manager([[maybe_unused]] const char* text) noexcept {
#ifdef WEIR_HAVE_SYSTEMD
  ::sd_notify(0, text);
#endif
}

}  // namespace weir
