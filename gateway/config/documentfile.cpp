// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/documentfile.h"

#include "gateway/config/loader.h"
#include "gateway/schema/encode.h"

#include <QFileInfo>
#include <QSaveFile>

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse {

namespace {

constexpr std::chrono::milliseconds lockPause(10);

/// `---` or `...` at the beginning of a line ends a document, in every context (YAML 1.2 §9.1.2).
bool isMarker(std::string_view line, std::string_view marker)
{
    return line.starts_with(marker)
           && (line.size() == marker.size() || line[marker.size()] == ' '
               || line[marker.size()] == '\t' || line[marker.size()] == '\r');
}

} // namespace

Node encodeClient(const std::string &name,
                  const std::map<std::string, std::string> &labels,
                  const ClientSpec &spec)
{
    Node document = Node::map();
    document.append("apiVersion", encodeText(configApiVersion));
    document.append("kind", encodeText("Client"));
    document.append("metadata", encode(Metadata{name, labels}));
    document.append("spec", encode(spec));
    return document;
}

std::string replaceDocument(std::string_view text, std::uint32_t line, std::string_view replacement)
{
    std::size_t chunk = 0; // where the document's marker stands, or the text after the last one
    std::size_t root = 0;  // where the line of the root begins
    bool isRootOnMarker = false; // "--- {kind: Client}"
    std::size_t end = text.size();
    std::uint32_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t next = std::min(text.find('\n', at), text.size() - 1) + 1;
        std::string_view content = text.substr(at, next - at);
        if (content.ends_with('\n'))
            content.remove_suffix(1);
        const bool isBegin = isMarker(content, "---");
        const bool isEnd = isMarker(content, "...");
        if ((isBegin || isEnd) && number > line) {
            end = at;
            break;
        }
        if (isBegin || isEnd)
            chunk = isBegin ? at : next;
        if (number == line) {
            root = at;
            isRootOnMarker = isBegin;
        }
        at = next;
    }
    std::string result(text.substr(0, replacement.empty() ? chunk : root));
    if (isRootOnMarker && !replacement.empty())
        result += "---\n";
    return result.append(replacement).append(text.substr(end));
}

Result<void> writeConfigFile(const std::string &path, std::string_view text)
{
    const QString name = QString::fromStdString(path);
    const bool isNew = !QFileInfo::exists(name);
    QSaveFile file(name);
    const bool isDone
        = file.open(QIODevice::WriteOnly)
          && (!isNew || file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner))
          && file.write(text.data(), static_cast<qint64>(text.size())) >= 0 && file.commit();
    if (!isDone)
        return Unexpected(Error{ErrorCode::SystemFailure,
                                path + " cannot be written: " + file.errorString().toStdString()});
    return {};
}

ConfigLock::ConfigLock(int descriptor)
    : m_descriptor(descriptor)
{}

ConfigLock::ConfigLock(ConfigLock &&other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
{}

ConfigLock::~ConfigLock()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

Result<ConfigLock> ConfigLock::take(const std::string &directory, std::chrono::milliseconds limit)
{
    // The directory itself: a lock file of ours would lie among the user's.
    ConfigLock lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto end = std::chrono::steady_clock::now() + limit;
    while (lock.m_descriptor >= 0 && ::flock(lock.m_descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            break; // such as NFS, which has no locks for directories: it goes without
        if (std::chrono::steady_clock::now() > end)
            return Unexpected(Error{ErrorCode::SystemFailure,
                                    "another gatehouse command is changing " + directory
                                        + "; try again when it has ended"});
        std::this_thread::sleep_for(lockPause);
    }
    return Result<ConfigLock>(std::move(lock));
}

} // namespace gatehouse
