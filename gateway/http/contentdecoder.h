// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// Decodes a coded body as it passes by, to read it by the side: an error says only that nothing more can
/// be read of it. Takes what browsers and SDKs take, more than decodeContent() does of requests: several
/// members of gzip, frames of zstd, deflate without its zlib wrapper; bytes behind the end are no concern.
/// Memory: 32 KiB for each coding and its window, of at most 16 MiB (br) or 8 MiB (zstd, RFC 9659).
class ContentDecoder
{
public:
    /// Gets the next decoded bytes, at most 32 KiB; false: it wants no more of the body.
    using Sink = std::function<bool(std::string_view)>;

    /// For a Content-Encoding as decodeContent() takes it: identity, gzip, x-gzip, deflate, br, zstd, three
    /// of them at most. Throws std::bad_alloc.
    [[nodiscard]] static Result<ContentDecoder> of(std::string_view contentEncoding);

    ContentDecoder(ContentDecoder &&) noexcept;
    ContentDecoder &operator=(ContentDecoder &&) noexcept;
    ContentDecoder(const ContentDecoder &) = delete;
    ContentDecoder &operator=(const ContentDecoder &) = delete;
    ~ContentDecoder();

    /// The next bytes of the body, cut anywhere: gives \a sink all that they allow, an event of a stream as
    /// soon as it was flushed. After an error, and once the sink wants no more, nothing is given any more.
    [[nodiscard]] Result<void> take(std::string_view bytes, const Sink &sink);
    /// What came is complete, as far as the codings tell; identity tells nothing.
    [[nodiscard]] bool isFinished() const;

private:
    struct Stage;

    ContentDecoder();
    [[nodiscard]] Result<void>
    takeFrom(std::size_t stage, std::string_view bytes, const Sink &sink);

    std::vector<std::unique_ptr<Stage>> m_stages; ///< in the order in which they are undone
    bool m_isOver = false;
};

} // namespace gatehouse::http
