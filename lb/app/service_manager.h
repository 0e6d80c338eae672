// What systemd is told about this process; nothing where there is no systemd, at build time or at
// run time. Any thread.
#pragma once

namespace weir {

// sd_notify's text: "READY=1", "STOPPING=1\nSTATUS=…".
void tell_service_manager(const char* text) noexcept;

}  // namespace weir
