// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/documentfile.h"

#include "gateway/config/loader.h"
#include "gateway/schema/encode.h"

#include <QFileInfo>
#include <QSaveFile>

#include <algorithm>

namespace gatehouse {

namespace {

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

} // namespace gatehouse
