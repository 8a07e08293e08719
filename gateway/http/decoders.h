// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// Content codings, for contentcoding.h and contentdecoder.h.
enum class Coding : std::uint8_t { Identity, Gzip, Deflate, Brotli, Zstd };

[[nodiscard]] std::string_view nameOf(Coding coding);
/// Of a Content-Encoding, in the order in which they were applied, without identity; three at most, each
/// once. RFC 9110 §8.4.
[[nodiscard]] Result<std::vector<Coding>> parseCodings(std::string_view contentEncoding);
/// A BodyEncoding.
[[nodiscard]] Unexpected<Error> undecodable(std::string context);
/// Of a coding whose data is at fault: what is said of it.
[[nodiscard]] Unexpected<Error> undecodable(Coding coding, std::string_view problem);

/// Decodes piece by piece. Its constructor throws std::bad_alloc.
class Decoder
{
public:
    enum class Outcome {
        More, ///< goes on with more input or more room
        End,  ///< the coded body is complete; what is left of the input is behind it
        Malformed,
    };

    Decoder() = default;
    virtual ~Decoder() = default;
    Decoder(const Decoder &) = delete;
    Decoder(Decoder &&) = delete;
    Decoder &operator=(const Decoder &) = delete;
    Decoder &operator=(Decoder &&) = delete;

    /// Takes from the front of \a input, and shortens \a output to what was written of it, whatever the
    /// outcome.
    virtual Outcome step(std::string_view &input, std::span<char> &output) = 0;
    /// After End: what comes is coded anew, the next member of gzip or frame of zstd.
    virtual void restart() {}
};

/// What is taken besides what the coding's definition says.
enum class Reading : std::uint8_t {
    Strict,
    Lenient,   ///< of zstd: skippable frames
    RawDeflate ///< of deflate: without the wrapper of zlib (RFC 1951)
};

/// Null for identity.
[[nodiscard]] std::unique_ptr<Decoder> makeDecoder(Coding coding, Reading reading);

} // namespace gatehouse::http
