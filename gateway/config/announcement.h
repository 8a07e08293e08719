// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/livefile.h"
#include "gateway/config/snapshot.h"
#include "gateway/schema/field.h"

#include <QStringList>

#include <span>
#include <string>
#include <vector>

namespace gatehouse {

/// A route as programs on this machine reach it.
struct AnnouncedRoute
{
    std::string name;
    std::string dialect;
    std::string url;        ///< of the base path
    std::string baseUrl;    ///< what the dialect's SDKs take for their base URL
    bool isPartial = false; ///< rules give it some requests of the base path only

    bool operator==(const AnnouncedRoute &) const = default;
    static std::span<const Field> fields();
};

/// What a running gateway says of itself to commands of the same user, in `<data>/running.yaml`: a
/// LiveFile, so whoever reads it knows that the gateway lives and holds these ports.
struct Announcement
{
    std::string config; ///< its configuration directory, absolute
    std::vector<AnnouncedRoute> routes;

    bool operator==(const Announcement &) const = default;
    static std::span<const Field> fields();
};

/// \a urls: the addresses that the listeners of \a snapshot were given, in their order.
[[nodiscard]] Announcement
announcementOf(const Snapshot &snapshot, const QStringList &urls, const std::string &configDir);

/// Replaces the announcement before.
[[nodiscard]] Result<LiveFile> announce(const Announcement &announcement,
                                        const std::string &dataDir);

/// SystemFailure with what to do where no gateway runs on that data directory.
[[nodiscard]] Result<Announcement> readAnnouncement(const std::string &dataDir);

} // namespace gatehouse
