// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/flex.h"
#include "gateway/pipeline/expression.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"

#include <QByteArray>
#include <QString>

#include <array>

namespace gatehouse {

// Types of the test's own: what the real ones make of their config is in their own tests.

inline std::optional<Node> translateBasicAuth(FlexConfig &config)
{
    Node node = Node::map();
    node.append("username", encodeText(config.requiredText("username")));
    node.append("password", config.secret("password"));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

inline std::optional<Node> translateLimit(FlexConfig &config)
{
    Node node = Node::map();
    node.append("requests", encodeText(std::to_string(config.integer("maximumRequests", 0))));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

inline std::optional<Node> translateHeader(FlexConfig &config)
{
    const std::string value = config.text("value");
    if (const auto expression = Expression::parse(value); !expression)
        config.refuse("value", expression.error().context);
    Node node = Node::map();
    node.append("value", encodeText(value));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

inline std::optional<Node> translateNothing(FlexConfig &)
{
    return Node::map();
}

inline std::span<const PolicyType> types()
{
    static constexpr std::array<FlexCounterpart, 1> basicAuth{
        {{"http-basic-authentication-flex", &translateBasicAuth}}};
    static constexpr std::array<FlexCounterpart, 1> limit{
        {{"rate-limiting-flex", &translateLimit}}};
    static constexpr std::array<FlexCounterpart, 1> header{
        {{"header-injection-flex", &translateHeader}}};
    static constexpr std::array<FlexCounterpart, 1> cors{{{"cors-flex", &translateNothing}}};
    const auto type = [](std::string_view id, std::span<const FlexCounterpart> flex) {
        return PolicyType{{.id = id, .title = {}, .summary = {}, .flex = flex}, nullptr, nullptr};
    };
    static const std::array<PolicyType, 4> all{type("basic-auth", basicAuth),
                                               type("rate-limit", limit),
                                               type("header-injection", header),
                                               type("cors", cors)};
    return all;
}

inline std::vector<FlexDocument>
documentsOf(const QByteArray &text, const std::string &file, Diagnostics &diagnostics)
{
    std::vector<FlexDocument> documents;
    for (Node &node : parseYaml(text.toStdString(), file, diagnostics))
        documents.push_back({file, std::make_shared<const Node>(std::move(node))});
    return documents;
}

/// What is said of the documents, line by line, and then the native ones with their places.
inline QString translated(const QByteArray &text, const std::string &file)
{
    Diagnostics diagnostics;
    const auto documents = documentsOf(text, file, diagnostics);
    const FlexTranslation translation = translateFlex(documents, types(), diagnostics);
    std::string all;
    for (const Diagnostic &diagnostic : diagnostics)
        all += diagnostic.text() + "\n";
    for (const std::string &host : translation.hosts)
        all += "host " + host + "\n";
    for (const FlexSecret &secret : translation.secrets)
        all += "secret " + secret.reference + "\n";
    for (const FlexTranslation::Document &document : translation.documents) {
        const Place place = placeOf(document.node, {"spec"});
        all += "--- # " + document.file + ":" + std::to_string(place.line) + "\n";
        all += toYaml(document.node);
        if (!document.unloaded.empty())
            all += "# unloaded: " + document.unloaded + "\n";
    }
    return QString::fromStdString(all);
}

/// An ApiInstance of two lines: `spec` on the second, from column 8 on.
inline QByteArray instance(const QByteArray &name, const QByteArray &spec)
{
    return "---\n{apiVersion: gateway.mulesoft.com/v1alpha1, kind: ApiInstance, metadata: {name: "
           + name + ", labels: {gatehouse/public: \"true\"}},\n spec: " + spec + "}\n";
}

inline QByteArray binding(const QByteArray &name, const QByteArray &spec)
{
    return "---\n{apiVersion: gateway.mulesoft.com/v1alpha1, kind: PolicyBinding, metadata: {name: "
           + name + "},\n spec: " + spec + "}\n";
}

inline QByteArray service(const QByteArray &name, const QByteArray &address)
{
    return "---\n{apiVersion: gateway.mulesoft.com/v1alpha1, kind: Service, metadata: {name: "
           + name + "},\n spec: {address: " + address + "}}\n";
}

inline constexpr const char *openai = "services: {s: {address: 'https://api.openai.com'}}";

} // namespace gatehouse
