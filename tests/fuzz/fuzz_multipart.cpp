// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/http/multipart.h"
#include "tests/fuzz/heads.h"

#include <cstdint>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

/// What stands where the parts say it stands, and no reader that cuts at boundaries finds others.
void requireParts(const std::vector<FormPart> &parts,
                  std::string_view body,
                  const std::string &boundary)
{
    const std::string mark = "--" + boundary;
    std::size_t marks = 0;
    for (std::size_t at = body.find(mark); at != std::string_view::npos;
         at = body.find(mark, at + 1))
        ++marks;
    require(parts.size() <= 1000 && marks == parts.size() + 1);
    std::size_t end = 0;
    for (const FormPart &part : parts) {
        requireWithin(part.name, body);
        requireWithin(part.contentType, body);
        requireWithin(part.content, body);
        require(!part.name.empty() && findInvalidUtf8(part.name) == std::string_view::npos);
        require(std::ranges::none_of(part.name, isControl));
        const auto begin = static_cast<std::size_t>(part.content.data() - body.data());
        require(begin > end);
        end = begin + part.content.size();
        require(body.substr(begin - 4, 4) == "\r\n\r\n");
        require(body.substr(end).starts_with("\r\n" + mark));
    }
}

void requirePairs(std::string_view text)
{
    FormReader reader(text, ErrorCode::BodyEncoding);
    for (;;) {
        const auto pair = reader.next();
        if (!pair || !pair->has_value())
            return;
        requireWithin((*pair)->written, text);
        require((*pair)->name.size() + (*pair)->value.size() <= (*pair)->written.size());
    }
}

} // namespace

/// A line with a Content-Type, then a body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    const std::string_view type = text.substr(0, text.find('\n'));
    const std::string_view body = text.substr(std::min(type.size() + 1, text.size()));
    requirePairs(body);
    const auto boundary = multipartBoundary(type);
    if (!boundary)
        return 0;
    const auto parts = parseMultipart(body, *boundary);
    if (!parts)
        return 0;
    requireParts(*parts, body, *boundary);
    for (std::size_t cut = 0; cut + 2 < body.size(); ++cut)
        require(!parseMultipart(body.substr(0, cut), *boundary));
    return 0;
}
