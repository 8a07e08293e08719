// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/vault.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// Equal but for quotes: the writer sets them where a plain text would be read differently.
bool hasSameTexts(const gatehouse::Node &a, const gatehouse::Node &b)
{
    return a.kind == b.kind && a.text == b.text && a.keys == b.keys
           && std::ranges::equal(a.items, b.items, hasSameTexts);
}

/// What was read is read again from what we write of it.
void requireRoundTrip(const gatehouse::Node &document)
{
    gatehouse::Diagnostics faults;
    const auto again = gatehouse::parseYaml(gatehouse::toYaml(document), "again.yaml", faults);
    require(faults.empty() && again.size() == 1 && hasSameTexts(again.front(), document));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string text(data, data + size);
    gatehouse::Diagnostics faults;
    const auto documents = gatehouse::parseYaml(text, "input.yaml", faults);
    if (faults.empty())
        std::ranges::for_each(documents, requireRoundTrip);

    gatehouse::Vault vault(nullptr);
    gatehouse::Draft draft{.directory = "/nonexistent"};
    gatehouse::addDocuments(draft, text, "input.yaml");
    gatehouse::addFlexDocuments(draft);
    for (const gatehouse::Diagnostic &diagnostic : gatehouse::checkDraft(draft, vault)) {
        require(diagnostic.place.line >= 1 && diagnostic.place.column >= 1);
        require(std::ranges::none_of(diagnostic.text(), gatehouse::isControl));
    }
    return 0;
}
