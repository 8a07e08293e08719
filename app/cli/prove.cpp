// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/prove.h"

#include "app/cli/commands.h"
#include "app/cli/options.h"
#include "gateway/config/loader.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <iostream>

namespace gatehouse {

namespace {

constexpr std::string_view help = R"(Usage: gatehouse prove [--policy NAME] [--config DIR] [--json]

Tries every policy on every route where it is in force: requests that it has to stop or change go through the
gateway's own checks and policies, with every carrier of keys, endpoint, encoding and spelling, to a sink in
this process. Nothing leaves the machine, no secret is read, and no counter of a running gateway moves.

  proven      everything that the policy has to stop was stopped
  not proven  it does not hold, or not everywhere, or it cannot be told; the reason is said
  bypassable  a request got through; a command that does the same is printed ($GATEHOUSE is the
              gateway's address, $KEY a virtual key)

It also says of each route whether it can be reached without a key, which policies hold on it and whether another
route leads past them, and of each client that is limited whether its keys keep to that.

  --policy NAME  only this policy
  --config DIR   configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR     data directory (default: $XDG_DATA_HOME/gatehouse); not read
  --json         print one JSON object instead of lines
  --help         print this

Exit code: 0 all are proven, 1 some are not, 2 wrong usage, 3 the configuration cannot be read or has errors
)";

QString wordOf(Proof::Standing standing)
{
    switch (standing) {
    case Proof::Standing::Proven:
        return QStringLiteral("proven");
    case Proof::Standing::NotProven:
        return QStringLiteral("not proven");
    case Proof::Standing::Bypassable:
        break;
    }
    return QStringLiteral("bypassable");
}

QJsonArray arrayOf(const std::vector<std::string> &texts)
{
    QJsonArray array;
    for (const std::string &text : texts)
        array.append(QString::fromStdString(text));
    return array;
}

QJsonArray routesOf(const ProofReport &report)
{
    QJsonArray routes;
    for (const RouteProof &proof : report.routes) {
        routes.append(
            QJsonObject{{QStringLiteral("route"), QString::fromStdString(proof.route)},
                        {QStringLiteral("basePath"), QString::fromStdString(proof.basePath)},
                        {QStringLiteral("standing"), wordOf(proof.standing)},
                        {QStringLiteral("withoutKey"), proof.isOpen},
                        {QStringLiteral("policies"), arrayOf(proof.policies)},
                        {QStringLiteral("reasons"), arrayOf(proof.reasons)},
                        {QStringLiteral("probe"), QString::fromStdString(proof.probe)}});
    }
    return routes;
}

QJsonArray clientsOf(const ProofReport &report)
{
    QJsonArray clients;
    for (const ClientProof &proof : report.clients) {
        clients.append(QJsonObject{{QStringLiteral("client"), QString::fromStdString(proof.client)},
                                   {QStringLiteral("standing"), wordOf(proof.standing)},
                                   {QStringLiteral("reasons"), arrayOf(proof.reasons)},
                                   {QStringLiteral("probe"), QString::fromStdString(proof.probe)},
                                   {QStringLiteral("probes"), proof.probes}});
    }
    return clients;
}

void printJson(const ProofReport &report)
{
    QJsonArray proofs;
    for (const Proof &proof : report.proofs) {
        proofs.append(QJsonObject{{QStringLiteral("policy"), QString::fromStdString(proof.policy)},
                                  {QStringLiteral("type"), QString::fromStdString(proof.type)},
                                  {QStringLiteral("route"), QString::fromStdString(proof.route)},
                                  {QStringLiteral("standing"), wordOf(proof.standing)},
                                  {QStringLiteral("reasons"), arrayOf(proof.reasons)},
                                  {QStringLiteral("probe"), QString::fromStdString(proof.probe)},
                                  {QStringLiteral("probes"), proof.probes}});
    }
    const QJsonObject object{{QStringLiteral("proofs"), proofs},
                             {QStringLiteral("routes"), routesOf(report)},
                             {QStringLiteral("clients"), clientsOf(report)}};
    std::cout << QJsonDocument(object).toJson(QJsonDocument::Compact).constData() << '\n';
}

template<typename SomeProof>
void printFindings(const SomeProof &proof)
{
    for (const std::string &reason : proof.reasons)
        std::cout << "            " << reason << '\n';
    if (!proof.probe.empty())
        std::cout << "            " << proof.probe << '\n';
}

void printScopes(const ProofReport &report)
{
    for (const RouteProof &proof : report.routes) {
        std::cout << wordOf(proof.standing).leftJustified(10).toStdString() << "  route "
                  << proof.route << " (" << proof.basePath
                  << "): " << (proof.isOpen ? "open to everybody" : "only with a key") << "; ";
        for (const std::string &policy : proof.policies)
            std::cout << policy << (policy == proof.policies.back() ? "" : ", ");
        std::cout << (proof.policies.empty() ? "no policy holds\n" : " hold\n");
        printFindings(proof);
    }
    for (const ClientProof &proof : report.clients) {
        std::cout << wordOf(proof.standing).leftJustified(10).toStdString() << "  client "
                  << proof.client << '\n';
        printFindings(proof);
    }
}

bool isAllProven(const ProofReport &report)
{
    const auto isProven
        = [](const auto &proof) { return proof.standing == Proof::Standing::Proven; };
    return std::ranges::all_of(report.proofs, isProven)
           && std::ranges::all_of(report.routes, isProven)
           && std::ranges::all_of(report.clients, isProven);
}

void printLines(const ProofReport &report)
{
    int probes = 0;
    for (const Proof &proof : report.proofs) {
        probes += proof.probes;
        std::cout << wordOf(proof.standing).leftJustified(10).toStdString() << "  " << proof.policy;
        if (proof.policy != proof.type)
            std::cout << " (" << proof.type << ")";
        if (!proof.route.empty())
            std::cout << " on " << proof.route;
        std::cout << '\n';
        printFindings(proof);
    }
    printScopes(report);
    const auto proven
        = std::ranges::count(report.proofs, Proof::Standing::Proven, &Proof::standing);
    std::cout << proven << " of " << report.proofs.size() << " policies proven, by " << probes
              << " requests\n";
    if (!isAllProven(report))
        std::cout << "mend what is not proven, from the top, and run gatehouse prove again\n";
}

} // namespace

int runProve(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("json"));
    line.addOption(QStringLiteral("policy"), QStringLiteral("name"));
    if (const auto code = line.parse(args))
        return *code;
    if (!line.words().isEmpty())
        return line.refuse("prove takes no arguments");
    const std::string directory = line.directories().config;
    if (!QDir(QString::fromStdString(directory)).isReadable()) {
        std::cerr << "gatehouse: the configuration directory " << directory
                  << " is not there or cannot be read; name another with --config\n";
        return ExitCannotRun;
    }
    const std::string policy = line.value(QStringLiteral("policy"));
    const ProofReport report = prove(loadDraft(directory), policy);
    if (hasErrors(report.diagnostics)) {
        for (const Diagnostic &diagnostic : report.diagnostics)
            std::cerr << diagnostic.text() << '\n';
        return ExitCannotRun;
    }
    if (!policy.empty() && report.proofs.empty()) {
        std::cerr << "gatehouse: there is no policy " << policy
                  << "; `gatehouse prove` without --policy lists them\n";
        return ExitWrongUsage;
    }
    if (line.isSet(QStringLiteral("json")))
        printJson(report);
    else
        printLines(report);
    return isAllProven(report) ? ExitDone : ExitNo;
}

} // namespace gatehouse
