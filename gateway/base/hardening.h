// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace gatehouse {

/// What a process that holds keys and thousands of sockets asks of the system: no core files and no
/// reading of its memory by other processes of the user, since both would give the keys away; as many
/// open files as it may have; no death by SIGPIPE. Call once, before threads start.
void hardenProcess();

} // namespace gatehouse
