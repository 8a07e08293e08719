// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/workercontext.h"
#include "gateway/pipeline/exchange.h"

namespace gatehouse::net {

class Socket;

/// What policies are told of the other end of an open client connection. Valid as long as \a context.
[[nodiscard]] Peer peerOf(const Socket &socket, WorkerContext &context);

} // namespace gatehouse::net
