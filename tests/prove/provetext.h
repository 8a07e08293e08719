// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/loader.h"
#include "gateway/prove/prove.h"

#include <QByteArray>
#include <QFile>
#include <QTemporaryDir>

#include <string>

namespace gatehouse {

inline constexpr const char *base = R"(apiVersion: gatehouse/v1
kind: Provider
metadata: {name: openai}
spec: {preset: openai, credential: "env:GATEHOUSE_PROVE_TEST"}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {name: openai, labels: {team: a}}
spec: {basePath: /openai/v1, provider: openai}
---
apiVersion: gatehouse/v1
kind: Client
metadata: {name: agent}
spec: {}
)";

/// A policy named p.
inline QByteArray policy(const char *type, const char *config, const char *more = "")
{
    return QByteArray(
               "---\napiVersion: gatehouse/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  type: ")
           + type + "\n  config: " + config + "\n" + more;
}

inline ProofReport proveText(const QByteArray &documents, const std::string &name = {})
{
    const QTemporaryDir directory;
    QFile file(directory.filePath(QStringLiteral("gatehouse.yaml")));
    if (!file.open(QIODevice::WriteOnly) || file.write(documents) < 0)
        qFatal("the test's file cannot be written");
    file.close();
    return prove(loadDraft(directory.path().toStdString()), name);
}

inline QByteArray textOf(const ProofReport &report)
{
    QByteArray text;
    for (const Diagnostic &diagnostic : report.diagnostics)
        text += QByteArray::fromStdString(diagnostic.text()) + '\n';
    for (const Proof &proof : report.proofs) {
        text += proof.standing == Proof::Standing::Proven      ? "proven"
                : proof.standing == Proof::Standing::NotProven ? "not proven"
                                                               : "bypassable";
        text += ' ' + QByteArray::fromStdString(proof.policy) + " on "
                + QByteArray::fromStdString(proof.route) + '\n';
        for (const std::string &reason : proof.reasons)
            text += "  " + QByteArray::fromStdString(reason) + '\n';
        text += "  " + QByteArray::fromStdString(proof.probe) + '\n';
    }
    return text;
}

inline QByteArray scopesOf(const ProofReport &report)
{
    QByteArray text;
    const auto word = [](Proof::Standing standing) {
        return standing == Proof::Standing::Proven      ? "proven "
               : standing == Proof::Standing::NotProven ? "not proven "
                                                        : "bypassable ";
    };
    for (const RouteProof &proof : report.routes) {
        text += word(proof.standing);
        text += "route " + QByteArray::fromStdString(proof.route)
                + (proof.isOpen ? ": open; " : ": with a key; ");
        for (const std::string &policy : proof.policies)
            text += QByteArray::fromStdString(policy);
        text += '\n';
    }
    for (const ClientProof &proof : report.clients) {
        text += word(proof.standing);
        text += "client " + QByteArray::fromStdString(proof.client) + '\n';
    }
    return text;
}

} // namespace gatehouse
