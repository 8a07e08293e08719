// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/loader.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/config/flex.h"
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
constexpr auto kinds = std::to_array<std::string_view>(
    {"Gateway", "Provider", "Route", "Client", "Policy", "Prices"});
constexpr auto laterKinds = std::to_array<std::string_view>({"Alert"});
constexpr std::size_t revisionBytes = 8;

bool isConfigFile(const fs::path &path)
{
    const std::string name = path.filename().string();
    return !name.starts_with('.') && !name.starts_with('#')
           && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

/// The entries of a directory. One that cannot be read to its end must not pass for one with fewer
/// files: policies may stand in the others.
std::vector<fs::directory_entry> entriesOf(const fs::path &directory, Diagnostics *problems)
{
    std::error_code problem;
    fs::directory_iterator iterator(directory, problem);
    std::vector<fs::directory_entry> entries;
    for (; !problem && iterator != fs::directory_iterator(); iterator.increment(problem))
        entries.push_back(*iterator);
    if (problem && problems != nullptr)
        problems->push_back({directory.string(),
                             {},
                             Diagnostic::Severity::Error,
                             "this directory cannot be read: " + problem.message()});
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

    /// A document of a translation; it has no file of its own.
    void read(FlexTranslation::Document translated)
    {
        m_isForeign = true;
        const std::size_t policies = m_draft.policies.size();
        m_document = std::make_shared<const Node>(std::move(translated.node));
        const std::string kind = m_document->find("kind")->text;
        if (kind == "Listener")
            add(m_draft.listeners, kind);
        else
            add(kind);
        if (m_draft.policies.size() > policies)
            m_draft.policies.back().spec.unloaded = std::move(translated.unloaded);
    }

    void read(Node document)
    {
        if (document.kind != Node::Kind::Map) {
            m_reporter.error(document.place,
                             "a document must be a map with apiVersion, kind, metadata and spec");
            return;
        }
        const std::string api = text(document, "apiVersion");
        if (api.starts_with(flexApi)) {
            m_draft.flexDocuments.push_back(
                {m_file, std::make_shared<const Node>(std::move(document))});
            return;
        }
        const std::string kind = supportedKind(document, api);
        if (kind.empty())
            return;
        reportUnknownKeys(document, envelopeFields, m_reporter);
        m_document = std::make_shared<const Node>(std::move(document));
        add(kind);
    }

private:
    void add(const std::string &kind)
    {
        if (kind == "Gateway")
            add(m_draft.gateways, kind);
        else if (kind == "Provider")
            add(m_draft.providers, kind);
        else if (kind == "Route")
            add(m_draft.routes, kind);
        else if (kind == "Client")
            add(m_draft.clients, kind);
        else if (kind == "Policy")
            add(m_draft.policies, kind);
        else if (kind == "Prices")
            add(m_draft.prices, kind);
    }

    /// Empty, and reported, where this is no document of ours.
    std::string supportedKind(const Node &document, const std::string &api)
    {
        std::string kind = text(document, "kind");
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
        Resource<Spec> resource{.file = m_file, .document = m_document, .isForeign = m_isForeign};
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
    bool m_isForeign = false;
};

} // namespace

std::vector<std::string> configFiles(const std::string &directory, Diagnostics *problems)
{
    std::vector<std::string> files;
    std::error_code problem;
    const auto addFile
        = [&files, &problem](const fs::directory_entry &entry, const fs::path &name) {
              if (isConfigFile(name) && !entry.is_directory(problem))
                  files.push_back(name.string());
          };
    for (const fs::directory_entry &entry : entriesOf(directory, problems)) {
        const fs::path name = entry.path().filename();
        addFile(entry, name);
        if (name.string().starts_with('.') || !entry.is_directory(problem))
            continue;
        for (const fs::directory_entry &inner : entriesOf(entry.path(), problems))
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

void addFlexDocuments(Draft &draft)
{
    FlexTranslation translation
        = translateFlex(draft.flexDocuments, policyTypes(), draft.diagnostics);
    for (FlexTranslation::Document &document : translation.documents) {
        const std::string file = document.file;
        DocumentReader(draft, file).read(std::move(document));
    }
    draft.hosts = std::move(translation.hosts);
    for (FlexSecret &secret : translation.secrets)
        draft.secrets[secret.reference] = std::make_shared<const Secret>(std::move(secret.value));
}

Draft loadDraft(const std::string &directory)
{
    Draft draft{.directory = directory};
    QCryptographicHash hash(QCryptographicHash::Sha256);
    for (const std::string &name : configFiles(directory, &draft.diagnostics)) {
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
    addFlexDocuments(draft);
    draft.revision = hash.result().left(revisionBytes).toHex().toStdString();
    return draft;
}

} // namespace gatehouse
