// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace gatehouse;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// \a body in pieces of \a size behind \a cut, each gone when the next one comes.
std::string filtered(std::string_view body, std::size_t cut, std::size_t size)
{
    const auto filter = usageChunkFilter();
    std::string out;
    filter->take(std::string(body.substr(0, cut)), out);
    for (std::size_t at = std::min(cut, body.size()); at < body.size(); at += size)
        filter->take(std::string(body.substr(at, size)), out);
    filter->end(out);
    return out;
}

} // namespace

/// A stream. However it is cut, the same comes out, never more than came in, and nothing is left to be
/// taken out. As a request's body: what is asked for is within it, and is asked for once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view body(reinterpret_cast<const char *>(data), size);
    const std::string expected = filtered(body, body.size(), 1);
    require(expected.size() <= body.size());
    require(filtered(body, 0, 1) == expected);
    require(filtered(body, size / 2, size % 7 + 2) == expected);
    for (std::size_t cut = 0; size < 200 && cut < body.size(); ++cut)
        require(filtered(body, cut, body.size()) == expected);
    require(filtered(expected, expected.size(), 1) == expected);

    if (const auto splice = askForUsage(body)) {
        require(splice->offset <= size && splice->length <= size - splice->offset);
        std::string asking(body);
        asking.replace(splice->offset, splice->length, splice->text);
        require(!askForUsage(asking));
    }
    return 0;
}
