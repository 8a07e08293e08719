// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/json/problem.h"
#include "gateway/json/value.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace gatehouse::json {

/// What a text may cost; how it may look is for policies, which have Measures.
struct Limits
{
    std::size_t maxDepth = 512;      ///< containers in one another
    std::size_t maxNodes = 1U << 22; ///< values and names; each costs 16 bytes
};

/// The extremes of a document. Lengths in bytes of unescaped UTF-8.
struct Measures
{
    std::size_t depth = 0;         ///< containers in one another; 0 for a scalar
    std::size_t entries = 0;       ///< of the object with the most members
    std::size_t elements = 0;      ///< of the longest array
    std::size_t longestName = 0;   ///< of all members
    std::size_t longestString = 0; ///< of all strings that are values

    bool operator==(const Measures &) const = default;
};

/// A JSON text (RFC 8259) that can be read in one way only: besides what the RFC forbids, a name that
/// comes twice in one object, an escaped half of a surrogate pair and a byte order mark are refused.
/// Time and memory are bounded by the length of the text whatever is in it: linear, n log n for the
/// names of one object. Made to be used again and again: what it allocated it keeps.
/// One thread at a time; \a parse and shrink end all values it gave.
class Document
{
public:
    /// In bytes; longer texts are Problem::Kind::TooLong.
    static constexpr std::size_t longestText = (std::size_t(1) << 28) - 1;

    Document();
    ~Document();
    Document(Document &&) noexcept;
    Document &operator=(Document &&) noexcept;
    Document(const Document &) = delete;
    Document &operator=(const Document &) = delete;

    /// Reads \a text, which is not this document's, and keeps a copy of it. Allocates only for a text that needs more than those
    /// before it.
    [[nodiscard]] Result<void, Problem> parse(std::string_view text, Limits limits = {});

    /// The value of the text; null where none was parsed or the last one was refused.
    [[nodiscard]] Value root() const;
    /// Of the text parsed last; zeros where it was refused.
    [[nodiscard]] const Measures &measures() const;
    /// The copy of the text; empty where it was refused.
    [[nodiscard]] std::string_view text() const;

    /// Bytes allocated for texts to come; those that were never touched are counted too.
    [[nodiscard]] std::size_t capacity() const;
    /// Gives back all memory; root() is null afterwards.
    void shrink();

private:
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

} // namespace gatehouse::json
