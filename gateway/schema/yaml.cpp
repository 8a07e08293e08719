// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/yaml.h"

#include "gateway/base/text.h"
#include "gateway/base/units.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace gatehouse {

namespace {

Place placeFrom(const YAML::Mark &mark)
{
    if (mark.is_null())
        return {};
    return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

/// Whether a code point begins here that Unicode keeps from ever being a character (§23.7): yaml-cpp
/// would write another one in its place.
bool beginsNoncharacter(std::string_view text)
{
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.size() >= 3 && byte(0) == 0xEF)
        return (byte(1) == 0xB7 && byte(2) >= 0x90 && byte(2) <= 0xAF)
               || (byte(1) == 0xBF && byte(2) >= 0xBE);
    return text.size() >= 4 && byte(0) >= 0xF0 && (byte(1) & 0x0F) == 0x0F && byte(2) == 0xBF
           && byte(3) >= 0xBE;
}

bool hasNoncharacter(std::string_view text)
{
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (beginsNoncharacter(text.substr(at)))
            return true;
    }
    return false;
}

/// What a subtree costs of YamlLimits.
struct Extent
{
    std::size_t bytes = 0;
    std::size_t nodes = 0;
    std::size_t depth = 0;
};

Extent extentOf(const Node &node)
{
    Extent extent{node.text.size(), 1, 0};
    for (const Node::Key &key : node.keys)
        extent.bytes += key.text.size();
    for (const Node &item : node.items) {
        const Extent inner = extentOf(item);
        extent.bytes += inner.bytes;
        extent.nodes += inner.nodes;
        extent.depth = std::max(extent.depth, inner.depth);
    }
    ++extent.depth;
    return extent;
}

/// Builds nodes from yaml-cpp's events. What must end the reading is thrown as yaml-cpp throws its
/// own, and caught with it in parseYaml.
class TreeBuilder final : public YAML::EventHandler
{
public:
    TreeBuilder(const YamlLimits &limits,
                std::vector<Node> &documents,
                const std::string &file,
                Diagnostics &diagnostics)
        : m_limits(limits)
        , m_documents(documents)
        , m_file(file)
        , m_diagnostics(diagnostics)
    {}

    void OnDocumentStart(const YAML::Mark &mark) override
    {
        // Before a stray comma yaml-cpp 0.7 gives empty documents for ever.
        if (mark.pos == m_documentStart)
            throw YAML::ParserException(mark, "a document cannot begin like this");
        m_documentStart = mark.pos;
        m_anchors.clear();
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override
    {
        if (expectsKey())
            throw YAML::ParserException(mark, "a key must be a word");
        // yaml-cpp gives the place of what follows; that of the key is the better one.
        const bool hasKey = !m_open.empty() && m_open.back().node.kind == Node::Kind::Map;
        add({.place = hasKey ? m_open.back().node.keys.back().place : placeFrom(mark)},
            mark,
            anchor);
    }

    void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override
    {
        const auto found = m_anchors.find(anchor);
        if (found == m_anchors.end())
            throw YAML::ParserException(mark, "an alias must not stand within its own anchor");
        if (expectsKey())
            throw YAML::ParserException(mark, "a key must be a word");
        const Extent extent = extentOf(found->second);
        m_used.bytes += extent.bytes;
        m_used.nodes += extent.nodes;
        checkLimits(mark, m_open.size() + extent.depth);
        attach(found->second);
    }

    void OnScalar(const YAML::Mark &mark,
                  const std::string &tag,
                  YAML::anchor_t anchor,
                  const std::string &value) override
    {
        checkTag(mark, tag);
        checkText(mark, value);
        if (expectsKey())
            return addKey(mark, value);
        add({.kind = Node::Kind::Scalar,
             .isQuoted = tag == "!",
             .place = placeFrom(mark),
             .text = value},
            mark,
            anchor);
    }

    void OnSequenceStart(const YAML::Mark &mark,
                         const std::string &tag,
                         YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open(Node::Kind::List, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark &mark,
                    const std::string &tag,
                    YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open(Node::Kind::Map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct OpenNode
    {
        Node node;
        YAML::Mark mark = {};
        YAML::anchor_t anchor = 0;
        std::unordered_set<std::string> seenKeys = {};
        bool isDuplicate = false; ///< the value to come has a key that was there before
    };

    [[nodiscard]] bool expectsKey() const
    {
        if (m_open.empty() || m_open.back().node.kind != Node::Kind::Map)
            return false;
        const OpenNode &map = m_open.back();
        return !map.isDuplicate && map.node.keys.size() == map.node.items.size();
    }

    void checkTag(const YAML::Mark &mark, const std::string &tag)
    {
        if (!tag.empty() && tag != "?" && tag != "!")
            throw YAML::ParserException(mark, "tags (" + inQuotes(tag) + ") are not supported");
    }

    void checkText(const YAML::Mark &mark, const std::string &text) const
    {
        if (hasNoncharacter(text))
            throw YAML::ParserException(mark, "this text has a code point that is no character");
        // The file is UTF-8; yaml-cpp 0.7 makes single bytes of these two escapes.
        if (findInvalidUtf8(text) != std::string::npos)
            throw YAML::ParserException(mark,
                                        "the escapes \\N and \\_ are not supported: write \\u0085"
                                        " and \\u00A0");
    }

    void checkLimits(const YAML::Mark &mark, std::size_t depth) const
    {
        if (depth > m_limits.depth)
            throw YAML::ParserException(
                mark, "nested deeper than " + std::to_string(m_limits.depth) + " levels");
        if (m_used.nodes > m_limits.nodes)
            throw YAML::ParserException(
                mark, "more than " + std::to_string(m_limits.nodes) + " values in one file");
        if (m_used.bytes > m_limits.bytes)
            throw YAML::ParserException(mark, "aliases make the file larger than its limit");
    }

    void addKey(const YAML::Mark &mark, const std::string &text)
    {
        OpenNode &map = m_open.back();
        m_used.bytes += text.size();
        if (!map.seenKeys.insert(text).second) {
            m_diagnostics.push_back({m_file,
                                     placeFrom(mark),
                                     Diagnostic::Severity::Error,
                                     "duplicate field " + inQuotes(text)});
            map.isDuplicate = true;
            return;
        }
        map.node.keys.push_back({text, placeFrom(mark)});
    }

    void
    open(Node::Kind kind, const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor)
    {
        if (expectsKey())
            throw YAML::ParserException(mark, "a key must be a word");
        checkTag(mark, tag);
        ++m_used.nodes;
        checkLimits(mark, m_open.size() + 1);
        m_open.push_back(
            {.node = {.kind = kind, .place = placeFrom(mark)}, .mark = mark, .anchor = anchor});
    }

    void close()
    {
        OpenNode closed = std::move(m_open.back());
        m_open.pop_back();
        if (closed.anchor != 0) {
            // Kept twice from here on, so counted twice: anchors may be nested.
            const Extent extent = extentOf(closed.node);
            m_used.bytes += extent.bytes;
            m_used.nodes += extent.nodes;
            checkLimits(closed.mark, m_open.size() + 1);
            m_anchors[closed.anchor] = closed.node;
        }
        attach(std::move(closed.node));
    }

    void add(Node node, const YAML::Mark &mark, YAML::anchor_t anchor)
    {
        ++m_used.nodes;
        m_used.bytes += node.text.size();
        checkLimits(mark, m_open.size() + 1);
        if (anchor != 0)
            m_anchors[anchor] = node;
        attach(std::move(node));
    }

    void attach(Node node)
    {
        if (m_open.empty()) {
            if (node.kind != Node::Kind::Null)
                m_documents.push_back(std::move(node));
            return;
        }
        OpenNode &parent = m_open.back();
        if (parent.isDuplicate)
            parent.isDuplicate = false;
        else
            parent.node.items.push_back(std::move(node));
    }

    const YamlLimits &m_limits;
    std::vector<Node> &m_documents;
    const std::string &m_file;
    Diagnostics &m_diagnostics;
    std::vector<OpenNode> m_open;
    std::unordered_map<YAML::anchor_t, Node> m_anchors;
    Extent m_used;
    int m_documentStart = -1;
};

Place placeOfOffset(std::string_view text, std::size_t offset)
{
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::ranges::count(before, '\n');
    const std::size_t lineStart = before.rfind('\n') + 1; // npos + 1 is 0
    return {static_cast<std::uint32_t>(lines) + 1,
            static_cast<std::uint32_t>(offset - lineStart) + 1};
}

/// Offset of the first byte that must not be in a YAML text, else npos. yaml-cpp takes a CR without
/// LF for a character, where other readers see a line break.
std::size_t findForbiddenByte(std::string_view text)
{
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        const bool isLineEnd = c == '\r' && text.substr(at + 1).starts_with('\n');
        if (isControl(c) && c != '\n' && c != '\t' && !isLineEnd)
            break;
    }
    return std::min(at < text.size() ? at : std::string_view::npos, findInvalidUtf8(text));
}

/// yaml-cpp quotes single bytes of the file in its messages; what cannot be shown becomes `?`.
std::string printable(std::string message)
{
    std::ranges::replace_if(message, isControl, '?');
    for (std::size_t at = findInvalidUtf8(message); at != std::string::npos;
         at = findInvalidUtf8(message))
        message[at] = '?';
    return message;
}

/// Quoted where yaml-cpp would write a CR or DEL as it is, or what a reader takes for the mark between
/// two documents.
void emitText(YAML::Emitter &emitter, const std::string &text, bool isQuoted)
{
    const bool looksLikeMark = text.starts_with("---") || text.starts_with("...");
    if (isQuoted || looksLikeMark || text.find_first_of("\r\x7f") != std::string::npos)
        emitter << YAML::DoubleQuoted;
    emitter << text;
}

void emit(YAML::Emitter &emitter, const Node &node)
{
    switch (node.kind) {
    case Node::Kind::Null:
        emitter << YAML::Null;
        return;
    case Node::Kind::Scalar:
        emitText(emitter, node.text, node.isQuoted);
        return;
    case Node::Kind::List:
        if (node.items.empty())
            emitter << YAML::Flow;
        emitter << YAML::BeginSeq;
        for (const Node &item : node.items)
            emit(emitter, item);
        emitter << YAML::EndSeq;
        return;
    case Node::Kind::Map:
        if (node.items.empty())
            emitter << YAML::Flow;
        emitter << YAML::BeginMap;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            emitter << YAML::Key;
            emitText(emitter, node.keys[i].text, false);
            emitter << YAML::Value;
            emit(emitter, node.items[i]);
        }
        emitter << YAML::EndMap;
        return;
    }
}

} // namespace

std::vector<Node> parseYaml(std::string_view text,
                            const std::string &file,
                            Diagnostics &diagnostics,
                            const YamlLimits &limits)
{
    const auto report = [&](Place place, const std::string &message) {
        diagnostics.push_back({file, place, Diagnostic::Severity::Error, message});
    };
    std::vector<Node> documents;
    if (text.size() > limits.bytes) {
        report({}, "the file is larger than " + formatSize(ByteSize{limits.bytes}));
        return documents;
    }
    if (const std::size_t at = findForbiddenByte(text); at != std::string_view::npos) {
        report(placeOfOffset(text, at),
               text[at] == '\r' ? "a carriage return without a line feed"
                                : "this byte is not text: the file must be UTF-8");
        return documents;
    }
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        TreeBuilder builder(limits, documents, file, diagnostics);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception &exception) {
        report(placeFrom(exception.mark), "not YAML: " + printable(exception.msg));
    }
    return documents;
}

std::string toYaml(const Node &node)
{
    YAML::Emitter emitter;
    emit(emitter, node);
    std::string text;
    for (const char c : std::string_view(emitter.c_str(), emitter.size())) {
        if (c == '\x7f') // yaml-cpp escapes all controls but this one
            text += "\\x7F";
        else
            text += c;
    }
    return text += '\n';
}

} // namespace gatehouse
