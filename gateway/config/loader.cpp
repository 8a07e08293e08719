// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/loader.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/schema/decode.h"
#include "gateway/schema/yaml.h"

#include <QCryptographicHash>

#include <algorithm>
#include <array>
#include <filesystem>

namespace gatehouse {

namespace {

namespace fs = std::filesystem;

constexpr auto envelopeFields
    = std::to_array<std::string_view>({"apiVersion", "kind", "metadata", "spec"});
constexpr auto kinds = std::to_array<std::string_view>({"Gateway", "Provider", "Route", "Client"});
constexpr auto laterKinds = std::to_array<std::string_view>({"Policy", "Prices", "Alert"});
constexpr std::string_view muleSoftApi = "gateway.mulesoft.com/";
constexpr std::size_t revisionBytes = 8;

bool isConfigFile(const fs::path &path)
{
    const std::string name = path.filename().string();
    return !name.starts_with('.') && !name.starts_with('#')
           && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

/// The entries of a directory; none where it cannot be read.
std::vector<fs::directory_entry> entriesOf(const fs::path &directory)
{
    std::error_code problem;
    fs::directory_iterator iterator(directory, problem);
    std::vector<fs::directory_entry> entries;
    for (; !problem && iterator != fs::directory_iterator(); iterator.increment(problem))
        entries.push_back(*iterator);
    return entries;
}

/// Decodes documents into the draft.
class DocumentReader
{
public:
    DocumentReader(Draft &draft, std::string file)
        : m_draft(draft)
        , m_file(std::move(file))
        , m_reporter(m_file, draft.diagnostics)
    {}

    void read(Node document)
    {
        if (document.kind != Node::Kind::Map) {
            m_reporter.error(document.place,
                             "a document must be a map with apiVersion, kind, metadata and spec");
            return;
        }
        const std::string kind = supportedKind(document);
        if (kind.empty())
            return;
        reportUnknownKeys(document, envelopeFields, m_reporter);
        m_document = std::make_shared<const Node>(std::move(document));
        if (kind == "Gateway")
            add(m_draft.gateways, kind);
        else if (kind == "Provider")
            add(m_draft.providers, kind);
        else if (kind == "Route")
            add(m_draft.routes, kind);
        else if (kind == "Client")
            add(m_draft.clients, kind);
    }

private:
    /// Empty, and reported, where this is no document of ours.
    std::string supportedKind(const Node &document)
    {
        const std::string api = text(document, "apiVersion");
        std::string kind = text(document, "kind");
        if (api.starts_with(muleSoftApi)) {
            m_reporter.error(placeOf(document, {"apiVersion"}),
                             "MuleSoft documents are not supported by this version yet; take this "
                             "document out of the directory");
            return {};
        }
        if (api.empty() || kind.empty())
            return {};
        if (api != configApiVersion) {
            m_reporter.error(placeOf(document, {"apiVersion"}),
                             "unknown apiVersion " + inQuotes(api) + "; this version reads "
                                 + inQuotes(configApiVersion));
            return {};
        }
        if (std::ranges::find(laterKinds, kind) != laterKinds.end()) {
            m_reporter.error(
                placeOf(document, {"kind"}),
                "kind " + kind
                    + " is not supported by this version yet; take this document out of "
                      "the directory");
            return {};
        }
        if (std::ranges::find(kinds, kind) == kinds.end()) {
            m_reporter.error(placeOf(document, {"kind"}),
                             "unknown kind " + inQuotes(kind) + didYouMean(kind, kinds));
            return {};
        }
        return kind;
    }

    std::string text(const Node &document, std::string_view key)
    {
        const Node *node = document.find(key);
        if (node == nullptr)
            m_reporter.error(document.place, std::string(key) + " is missing");
        else if (node->kind != Node::Kind::Scalar || node->text.empty())
            m_reporter.error(node->place, std::string(key) + " must be a text");
        else
            return node->text;
        return {};
    }

    template<Record Spec>
    void add(std::vector<Resource<Spec>> &resources, const std::string &kind)
    {
        const Node *metadataNode = m_document->find("metadata");
        const Node *specNode = m_document->find("spec");
        if (specNode == nullptr)
            m_reporter.error(m_document->place, "spec is missing");
        Resource<Spec> resource{.file = m_file, .document = m_document};
        if (specNode != nullptr)
            resource.spec = decode<Spec>(*specNode, m_reporter);
        if (metadataNode == nullptr) {
            m_reporter.error(m_document->place, "metadata is missing");
            return;
        }
        auto metadata = decode<Metadata>(*metadataNode, m_reporter);
        if (metadata.name.empty())
            return;
        const auto other = std::ranges::find(resources, metadata.name, &Resource<Spec>::name);
        if (other != resources.end()) {
            m_reporter.error(placeOf(*m_document, {"metadata", "name"}),
                             "another " + kind + " has the name " + inQuotes(metadata.name) + " at "
                                 + other->file + ":" + std::to_string(other->namePlace().line));
            return;
        }
        resource.name = std::move(metadata.name);
        resource.labels = std::move(metadata.labels);
        resources.push_back(std::move(resource));
    }

    Draft &m_draft;
    std::string m_file;
    Reporter m_reporter;
    std::shared_ptr<const Node> m_document;
};

} // namespace

std::vector<std::string> configFiles(const std::string &directory)
{
    std::vector<std::string> files;
    std::error_code problem;
    const auto addFile
        = [&files, &problem](const fs::directory_entry &entry, const fs::path &name) {
              if (isConfigFile(name) && !entry.is_directory(problem))
                  files.push_back(name.string());
          };
    for (const fs::directory_entry &entry : entriesOf(directory)) {
        const fs::path name = entry.path().filename();
        addFile(entry, name);
        if (name.string().starts_with('.') || !entry.is_directory(problem))
            continue;
        for (const fs::directory_entry &inner : entriesOf(entry.path()))
            addFile(inner, name / inner.path().filename());
    }
    std::ranges::sort(files);
    return files;
}

void addDocuments(Draft &draft, std::string_view text, const std::string &file)
{
    for (Node &document : parseYaml(text, file, draft.diagnostics))
        DocumentReader(draft, file).read(std::move(document));
}

Draft loadDraft(const std::string &directory)
{
    Draft draft{.directory = directory};
    std::error_code problem;
    // Also asks for the right to list it: an unreadable directory must not pass for an empty one.
    const fs::directory_iterator probe(directory, problem);
    if (problem) {
        draft.diagnostics.push_back(
            {directory,
             {},
             Diagnostic::Severity::Error,
             "the configuration directory cannot be read: " + problem.message()});
        return draft;
    }
    QCryptographicHash hash(QCryptographicHash::Sha256);
    for (const std::string &name : configFiles(directory)) {
        const std::string path = (fs::path(directory) / name).string();
        const auto bytes = readFile(path, YamlLimits{}.bytes);
        if (!bytes) {
            draft.diagnostics.push_back(
                {path, {}, Diagnostic::Severity::Error, bytes.error().context});
            continue;
        }
        // Lengths first, so that no two sets of files are the same bytes.
        const std::string head
            = std::to_string(name.size()) + ":" + name + ":" + std::to_string(bytes->size()) + ":";
        hash.addData(QByteArrayView(head.data(), static_cast<qsizetype>(head.size())));
        hash.addData(QByteArrayView(bytes->data(), static_cast<qsizetype>(bytes->size())));
        addDocuments(draft, *bytes, path);
    }
    draft.revision = hash.result().left(revisionBytes).toHex().toStdString();
    return draft;
}

} // namespace gatehouse
