// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/hardening.h"

#include <sys/resource.h>

#include <csignal>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace gatehouse {

void hardenProcess()
{
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    // The limit does not hold where the kernel pipes cores into a collector (core(5)). Sanitizers
    // read their own process, which this would forbid too.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ::prctl(PR_SET_DUMPABLE, 0);
#endif
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    std::signal(SIGPIPE, SIG_IGN);
}

} // namespace gatehouse
