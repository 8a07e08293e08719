// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/flexwork.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/flexreader.h"
#include "gateway/config/loader.h"
#include "gateway/match/pattern.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/secretref.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace gatehouse {

namespace {

constexpr std::size_t longestName = 63;
constexpr auto ruleFields = std::to_array<std::string_view>({"path", "methods", "host", "headers"});
/// Those that MuleSoft's rules know.
constexpr auto methodNames = std::to_array<std::string_view>(
    {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"});

/// NAME of `$NAME` and `${NAME}`, else empty.
std::string_view variableOf(std::string_view text)
{
    if (!text.starts_with('$'))
        return {};
    text.remove_prefix(1);
    if (text.starts_with('{') && text.ends_with('}'))
        text = text.substr(1, text.size() - 2);
    return isVariableName(text) ? text : std::string_view();
}

/// `$NAME` within a longer text.
bool holdsVariable(std::string_view text)
{
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at + 1)) {
        const std::string_view rest = text.substr(at + 1);
        if (!rest.empty() && (rest.front() == '{' || isVariableName(rest.substr(0, 1))))
            return true;
    }
    return false;
}

bool isMethod(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Replaces `$NAME` in a config, as far as it is a whole value.
class Expander
{
public:
    Expander(FlexWork::Config &config, Reporter reporter)
        : m_config(config)
        , m_reporter(std::move(reporter))
    {}

    void expand(Node &node)
    {
        if (node.kind == Node::Kind::Scalar)
            return expandScalar(node);
        for (Node &item : node.items)
            expand(item);
    }

private:
    void expandScalar(Node &node)
    {
        const std::string name(variableOf(node.text));
        if (name.empty()) {
            if (!node.text.starts_with("#[") && holdsVariable(node.text))
                m_reporter.warning(
                    node.place,
                    "a $ within a longer text stands for itself; only a value that is "
                    "$NAME as a whole is taken from the environment");
            return;
        }
        // The host's thread reads it, and nothing here ever sets one.
        const char *value = std::getenv(name.c_str());
        if (value == nullptr) {
            const std::string problem = "the environment variable " + name + " is not set";
            m_reporter.warning(node.place, problem + "; the policy is not loaded");
            if (m_config.problem.empty())
                m_config.problem = problem;
            return;
        }
        m_config.origin.variables.push_back({node.place, name});
        node.text = value;
        node.isQuoted = false;
    }

    FlexWork::Config &m_config;
    Reporter m_reporter;
};

} // namespace

Node textAt(std::string_view text, Place place)
{
    Node node = encodeText(text);
    node.place = place;
    return node;
}

Node plainAt(std::string_view text, Place place)
{
    Node node = Node::scalar(text, false);
    node.place = place;
    return node;
}

std::string labelOf(const FlexLabels &labels, std::string_view name)
{
    const auto found = labels.find(std::string(name));
    return found == labels.end() ? std::string() : found->second;
}

std::pair<const PolicyType *, const FlexCounterpart *>
FlexWork::findType(std::string_view policyRef) const
{
    for (const PolicyType &type : m_types) {
        for (const FlexCounterpart &counterpart : type.info.flex) {
            if (counterpart.policyRef == policyRef)
                return {&type, &counterpart};
        }
    }
    return {nullptr, nullptr};
}

std::string FlexWork::didYouMeanPolicy(std::string_view policyRef) const
{
    std::vector<std::string_view> names{"route", "tls", "tls-outbound"};
    for (const PolicyType &type : m_types) {
        for (const FlexCounterpart &counterpart : type.info.flex)
            names.push_back(counterpart.policyRef);
    }
    return didYouMean(policyRef, names);
}

void FlexWork::error(const std::string &file, Place place, std::string message)
{
    m_diagnostics.push_back({file, place, Diagnostic::Severity::Error, std::move(message)});
}

void FlexWork::warning(const std::string &file, Place place, std::string message)
{
    m_diagnostics.push_back({file, place, Diagnostic::Severity::Warning, std::move(message)});
}

std::string nativeName(std::string_view text)
{
    constexpr std::string_view allowed = "._-";
    std::string name = toLowerAscii(text);
    for (char &c : name) {
        if (c == '/')
            c = '.';
        else if (!isAlphanumeric(c) && allowed.find(c) == std::string_view::npos)
            c = '-';
    }
    if (name.empty() || !isAlphanumeric(name.front()))
        name.insert(0, "x");
    name.resize(std::min(name.size(), longestName));
    return name;
}

std::string FlexWork::uniqueName(std::string_view kind, std::string_view text)
{
    const std::string name = nativeName(text);
    std::string candidate = name;
    for (int number = 2; !m_names.insert(std::string(kind) + " " + candidate).second; ++number) {
        const std::string suffix = "-" + std::to_string(number);
        candidate = name.substr(0, longestName - suffix.size()) + suffix;
    }
    return candidate;
}

void FlexWork::add(Parts parts)
{
    Node labels = Node::map();
    for (const auto &[name, value] : parts.labels)
        labels.append(name, textAt(value, parts.namePlace));
    labels.place = parts.namePlace;
    Node metadata = Node::map();
    metadata.place = parts.namePlace;
    metadata.append("name", textAt(parts.name, parts.namePlace));
    if (!parts.labels.empty())
        metadata.append("labels", std::move(labels));
    parts.spec.place = parts.place;
    Node document = Node::map();
    document.place = parts.place;
    document.append("apiVersion", encodeText(configApiVersion));
    document.append("kind", encodeText(parts.kind));
    document.append("metadata", std::move(metadata));
    document.append("spec", std::move(parts.spec));
    m_result.documents.push_back(
        {std::move(parts.file), std::move(document), std::move(parts.unloaded)});
}

void FlexWork::addHost(const std::string &host)
{
    if (std::ranges::find(m_result.hosts, host) == m_result.hosts.end())
        m_result.hosts.push_back(host);
}

void FlexWork::keepSecrets(std::vector<FlexSecret> secrets)
{
    std::ranges::move(secrets, std::back_inserter(m_result.secrets));
}

FlexWork::Config FlexWork::expanded(const FlexPolicyUse &use)
{
    Config config{.origin = {.file = use.file}};
    if (use.config == nullptr)
        return config;
    config.node = *use.config;
    Expander(config, reporter(use.file)).expand(*config.node);
    return config;
}

Result<Node>
FlexWork::translateRules(const Node *rules, const std::string &file, UnknownFields unknown)
{
    const auto refuse = [&](Place place, const std::string &problem) {
        warning(file, place, problem);
        return Unexpected(Error{ErrorCode::ConfigInvalid, problem});
    };
    Node list = Node::list();
    if (rules == nullptr)
        return list;
    list.place = rules->place;
    if (rules->kind != Node::Kind::List)
        return refuse(rules->place, "rules must be a list");
    for (const Node &rule : rules->items) {
        if (rule.kind != Node::Kind::Map)
            return refuse(rule.place, "each of the rules must be a map");
        auto translated = translateRule(rule, file, unknown);
        if (!translated)
            return translated;
        list.items.push_back(std::move(*translated));
    }
    return list;
}

Result<Node>
FlexWork::translateRule(const Node &rule, const std::string &file, UnknownFields unknown)
{
    Node native = Node::map();
    native.place = rule.place;
    for (std::size_t i = 0; i < rule.items.size(); ++i) {
        const Node &value = rule.items[i];
        const std::string &written = rule.keys[i].text;
        const auto meant = std::ranges::find_if(
            ruleFields, [&](std::string_view field) { return indexOf(rule, field) == i; });
        if (meant == ruleFields.end()) {
            const std::string problem
                = "unknown field " + inQuotes(written) + didYouMean(written, ruleFields);
            if (unknown == UnknownFields::Refused) {
                warning(file, rule.keys[i].place, problem);
                return Unexpected(Error{ErrorCode::ConfigInvalid, problem});
            }
            warning(file, rule.keys[i].place, problem + "; the rule is read without it");
            continue;
        }
        const std::string_view key = *meant;
        if (key != written)
            warning(
                file, rule.keys[i].place, inQuotes(written) + " is read as " + std::string(key));
        if (value.kind == Node::Kind::Null)
            continue;
        if (key == "methods") {
            auto methods = translateMethods(value);
            if (!methods) {
                warning(file, value.place, methods.error().context);
                return Unexpected(std::move(methods).error());
            }
            if (methods->empty())
                continue;
            native.append(key, textAt(*methods, value.place));
        } else {
            native.append(key, value);
            if (key == "host")
                takeHost(value, file);
        }
        native.keys.back().place = rule.keys[i].place;
    }
    return native;
}

/// The gateway answers only to Host names that it knows; a rule that names one makes it known.
void FlexWork::takeHost(const Node &expression, const std::string &file)
{
    std::string host = expression.text;
    for (std::size_t at = host.find("\\."); at != std::string::npos; at = host.find("\\.", at))
        host.erase(at, 1);
    if (!normalisedHost(host).empty())
        addHost(host);
    else if (host != ".*")
        warning(file,
                expression.place,
                "Host names that only a regular expression describes are not answered to (421); "
                "the label gatehouse/hosts of the ApiInstance lists them");
}

/// `GET|POST` of a regular expression over MuleSoft's methods; empty where any method matches.
Result<std::string> FlexWork::translateMethods(const Node &methods)
{
    const auto invalid = [](const std::string &problem) {
        return Unexpected(Error{ErrorCode::ConfigInvalid, "methods " + problem});
    };
    std::string expression = methods.text;
    for (const Node &item : methods.items) {
        if (!expression.empty())
            expression += '|';
        expression += item.text;
    }
    if (expression.empty() || expression == ".*")
        return std::string();
    const auto parts = split(expression, '|');
    if (std::ranges::all_of(parts, isMethod))
        return expression;
    const auto pattern = Pattern::compile(expression);
    if (!pattern)
        return invalid(pattern.error().context);
    std::string matching;
    for (const std::string_view method : methodNames) {
        if (!pattern->matchesWhole(method))
            continue;
        if (!matching.empty())
            matching += '|';
        matching += method;
    }
    if (matching.empty())
        return invalid("match none of the methods that there are");
    return matching;
}

} // namespace gatehouse
