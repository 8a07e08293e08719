// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/prices.h"
#include "gateway/base/file.h"
#include "gateway/base/units.h"
#include "gateway/config/documentfile.h"
#include "gateway/config/loader.h"
#include "gateway/config/priceimport.h"
#include "gateway/config/prices.h"

#include <QFileInfo>

#include <chrono>
#include <iostream>

namespace gatehouse {

namespace {

constexpr std::size_t longestFile = std::size_t{64} * 1024 * 1024;
constexpr std::string_view mark = "# Written by gatehouse prices import";

std::string today()
{
    constexpr std::size_t dateLength = 10;
    return formatInstant(std::chrono::system_clock::now()).substr(0, dateLength);
}

/// The first fault of the text as a file of the configuration; empty where there is none.
std::string faultOf(const std::string &text, const std::string &path)
{
    Draft draft;
    addDocuments(draft, text, path);
    Diagnostics diagnostics = draft.diagnostics;
    (void)compilePrices(draft, diagnostics);
    return diagnostics.empty() ? std::string() : diagnostics.front().text();
}

/// Writes the file, unless somebody else wrote what is there.
int write(const std::string &directory, const std::string &path, const std::string &text)
{
    const auto lock = ConfigLock::take(directory);
    if (!lock)
        return fail(ExitCannotRun, lock.error().context);
    if (QFileInfo::exists(QString::fromStdString(path))) {
        const auto old = readFile(path, longestFile);
        if (!old)
            return fail(ExitCannotRun, old.error().context);
        if (!old->starts_with(mark))
            return fail(ExitNo,
                        path + " was not written by an import; move it away, and try again");
    }
    if (const auto written = writeConfigFile(path, text); !written)
        return fail(ExitCannotRun, written.error().context);
    return ExitDone;
}

void report(const ImportedPrices &prices, const std::string &path)
{
    std::cout << prices.modelCount() << " models of " << prices.providers.size()
              << " providers from " << prices.format << ": " << path << '\n';
    for (const auto &[reason, count] : prices.skipped)
        std::cout << "skipped " << count << ": " << reason << '\n';
    for (const auto &[note, count] : prices.notes)
        std::cout << "of " << count << ": " << note << '\n';
}

} // namespace

int importPriceFile(const CommandLine &line)
{
    if (line.words().size() != 2)
        return line.refuse("import takes one file");
    const std::string source = line.words().at(1).toStdString();
    const std::string directory = line.directories().config;
    if (!QFileInfo(QString::fromStdString(directory)).isDir())
        return fail(ExitCannotRun,
                    "the configuration directory " + directory
                        + " is not there; make it, or name another with --config");
    const auto json = readFile(source, longestFile);
    if (!json)
        return fail(ExitCannotRun, json.error().context);
    const std::string date = today();
    const auto prices = importPrices(*json, date);
    if (!prices)
        return fail(ExitNo, source + ": " + prices.error());
    const std::string path = directory + "/prices-imported.yaml";
    const std::string text = std::string(mark) + " on " + date + ", of " + prices->format
                             + "; the next import writes it anew.\n" + toYaml(*prices);
    if (const std::string fault = faultOf(text, path); !fault.empty())
        return fail(ExitNo, "these prices cannot be used, nothing was written: " + fault);
    if (const int code = write(directory, path, text); code != ExitDone)
        return code;
    report(*prices, path);
    return ExitDone;
}

} // namespace gatehouse
