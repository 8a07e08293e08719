// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/announcement.h"

#include "gateway/base/file.h"
#include "gateway/schema/decode.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

namespace gatehouse {

namespace {

namespace fs = std::filesystem;

std::string fileIn(const std::string &dataDir)
{
    return (fs::path(dataDir) / "running.yaml").string();
}

/// What SDKs append themselves, so that a base path that ends in it is given to them without.
struct SdkPath
{
    std::string_view dialect;
    std::string_view ending;
};
constexpr auto sdkPaths = std::to_array<SdkPath>(
    {{"anthropic", "/v1"}, {"gemini", "/v1beta"}, {"gemini", "/v1"}, {"ollama", "/api"}});

std::string sdkBaseUrl(const RouteEntry &route, std::string url)
{
    const std::string_view dialect = route.dialect->name();
    // OpenAI's SDKs take the version for a part of the base URL; a provider without a path has it
    // behind that.
    if (dialect == "openai" && route.firstProvider().basePath.empty() && !url.ends_with("/v1"))
        return url + "/v1";
    for (const SdkPath &path : sdkPaths) {
        if (path.dialect == dialect && url.ends_with(path.ending))
            return url.substr(0, url.size() - path.ending.size());
    }
    return url;
}

/// The address with a host that a client can connect to and that the gateway answers to.
std::string reachable(const ListenerEntry &listener, const Snapshot &snapshot, std::string_view url)
{
    const std::size_t port = url.rfind(':');
    const std::string scheme(url.substr(0, url.find("://") + 3));
    const bool isIpv6 = listener.address.find(':') != std::string::npos;
    std::string host = isIpv6 ? "[" + listener.address + "]" : listener.address;
    if (listener.address == "0.0.0.0")
        host = "127.0.0.1";
    else if (listener.address == "::")
        host = "[::1]";
    const auto isAnsweredTo = [&](std::string_view name) {
        return std::ranges::find(snapshot.hosts, name) != snapshot.hosts.end();
    };
    if (host == "127.0.0.1" && !isAnsweredTo(host) && isAnsweredTo("localhost"))
        host = "localhost";
    return scheme + host + std::string(url.substr(port));
}

} // namespace

std::span<const Field> AnnouncedRoute::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&AnnouncedRoute::name>(
            {.key = "name", .label = "Name", .help = "Name of the route", .required = true}),
        field<&AnnouncedRoute::dialect>({.key = "dialect",
                                         .label = "Dialect",
                                         .help = "Wire format of its clients",
                                         .required = true}),
        field<&AnnouncedRoute::url>(
            {.key = "url", .label = "URL", .help = "Where its base path is", .required = true}),
        field<&AnnouncedRoute::baseUrl>({.key = "baseUrl",
                                         .label = "Base URL",
                                         .help = "What the dialect's SDKs are given",
                                         .required = true}),
        field<&AnnouncedRoute::isPartial>({.key = "partial",
                                           .label = "Partial",
                                           .help = "It has some requests of the base path only"}),
    });
    return table;
}

std::span<const Field> Announcement::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&Announcement::config>({.key = "config",
                                      .label = "Configuration",
                                      .help = "Directory of the configuration in force",
                                      .required = true}),
        field<&Announcement::routes>(
            {.key = "routes", .label = "Routes", .help = "Routes and where they are reached"}),
    });
    return table;
}

Announcement
announcementOf(const Snapshot &snapshot, const QStringList &urls, const std::string &configDir)
{
    std::error_code problem; // the path as it was given will do where there is no working directory
    const fs::path absolute = fs::absolute(configDir, problem);
    Announcement announcement{problem ? configDir : absolute.lexically_normal().string(), {}};
    for (const RouteEntry &route : snapshot.routes) {
        const auto listener
            = std::ranges::find(snapshot.listeners, route.listener, &ListenerEntry::name);
        const auto index = static_cast<qsizetype>(listener - snapshot.listeners.begin());
        if (index >= urls.size())
            continue;
        const std::string url
            = reachable(*listener, snapshot, urls[index].toStdString()) + route.basePath;
        announcement.routes.push_back({route.name,
                                       std::string(route.dialect->name()),
                                       url,
                                       sdkBaseUrl(route, url),
                                       !route.rules.isEmpty()});
    }
    std::ranges::sort(announcement.routes, {}, &AnnouncedRoute::name);
    return announcement;
}

Result<LiveFile> announce(const Announcement &announcement, const std::string &dataDir)
{
    return LiveFile::create(fileIn(dataDir), toYaml(encode(announcement)));
}

Result<Announcement> readAnnouncement(const std::string &dataDir)
{
    const std::string file = fileIn(dataDir);
    const auto live = isLive(file);
    if (!live)
        return Unexpected(live.error());
    if (!*live)
        return Unexpected(Error{ErrorCode::SystemFailure,
                                "no gateway runs on the data directory " + dataDir
                                    + "; start it with: gatehouse run"});
    const auto text = readFile(file, YamlLimits{}.bytes);
    if (!text)
        return Unexpected(text.error());
    Diagnostics diagnostics;
    const std::vector<Node> documents = parseYaml(*text, file, diagnostics);
    Announcement announcement;
    if (documents.size() == 1) {
        Reporter reporter(file, diagnostics);
        announcement = decode<Announcement>(documents.front(), reporter);
    }
    if (documents.size() != 1 || !diagnostics.empty())
        return Unexpected(
            Error{ErrorCode::SystemFailure,
                  file + " is not what this version writes; start the gateway again"});
    return announcement;
}

} // namespace gatehouse
