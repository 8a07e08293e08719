// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

namespace gatehouse {

/// The first byte of [\a from, \a end) that is one of \a Wanted, else \a end. For bytes that are rare:
/// compilers make vector code of the blocks, which looks at some 10 bytes in a nanosecond.
template<char... Wanted>
[[nodiscard]] const char *findByte(const char *from, const char *end)
{
    constexpr std::ptrdiff_t block = 32;
    while (end - from >= block) {
        unsigned char hits = 0;
        for (std::ptrdiff_t i = 0; i < block; ++i)
            hits |= static_cast<unsigned char>(((from[i] == Wanted) | ...));
        if (hits != 0)
            break;
        from += block;
    }
    while (from != end && ((*from != Wanted) && ...))
        ++from;
    return from;
}

} // namespace gatehouse
