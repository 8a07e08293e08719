// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretarena.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <new>

#include <unistd.h>

namespace gatehouse {

namespace {

constexpr std::size_t alignment = 16;
constexpr std::size_t usualSize = std::size_t{16} * 1024; ///< of a region: holds some hundred keys

std::size_t roundedUp(std::size_t size, std::size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

std::size_t pageSize()
{
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

/// One mapping: a guard page, the pages that hold secrets, a guard page.
class SecretArena::Region
{
public:
    explicit Region(std::size_t size)
        : m_size(roundedUp(std::max(size, usualSize), pageSize()))
    {
        void *mapping = ::mmap(
            nullptr, mappedSize(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapping == MAP_FAILED)
            throw std::bad_alloc();
        m_mapping = static_cast<char *>(mapping);
        if (::mprotect(data(), m_size, PROT_READ | PROT_WRITE) != 0) {
            ::munmap(m_mapping, mappedSize());
            throw std::bad_alloc();
        }
        m_isLocked = ::mlock(data(), m_size) == 0;
#ifdef MADV_DONTDUMP
        ::madvise(data(), m_size, MADV_DONTDUMP);
#endif
#ifdef MADV_WIPEONFORK
        ::madvise(data(), m_size, MADV_WIPEONFORK);
#endif
    }
    ~Region()
    {
        ::munmap(m_mapping, mappedSize());
    }
    Region(const Region &) = delete;
    Region(Region &&) = delete;
    Region &operator=(const Region &) = delete;
    Region &operator=(Region &&) = delete;

    [[nodiscard]] bool isLocked() const
    {
        return m_isLocked;
    }
    [[nodiscard]] bool isEmpty() const
    {
        return m_used.empty();
    }
    [[nodiscard]] bool holds(const char *bytes) const
    {
        return m_used.contains(bytes);
    }

    /// The first gap that is large enough; null where there is none.
    [[nodiscard]] char *take(std::size_t size)
    {
        char *begin = data();
        for (const auto &[used, length] : m_used) {
            if (static_cast<std::size_t>(used - begin) >= size)
                break;
            begin += static_cast<std::size_t>(used - begin) + length;
        }
        if (static_cast<std::size_t>(data() + m_size - begin) < size)
            return nullptr;
        m_used.emplace(begin, size);
        return begin;
    }

    void giveBack(const char *bytes)
    {
        m_used.erase(bytes);
    }

private:
    [[nodiscard]] char *data() const
    {
        return m_mapping + pageSize();
    }
    [[nodiscard]] std::size_t mappedSize() const
    {
        return m_size + 2 * pageSize();
    }

    char *m_mapping = nullptr;
    std::size_t m_size;
    bool m_isLocked = false;
    std::map<const char *, std::size_t> m_used; ///< pieces by where they begin
};

SecretArena::SecretArena() = default;
SecretArena::~SecretArena() = default;

std::shared_ptr<SecretArena> SecretArena::make()
{
    return std::shared_ptr<SecretArena>(new SecretArena);
}

std::shared_ptr<const LockedSecret>
SecretArena::store(std::initializer_list<std::string_view> parts)
{
    std::size_t size = 0;
    for (const std::string_view part : parts)
        size += part.size();
    const std::span<char> bytes = allocate(size);
    char *end = bytes.data();
    for (const std::string_view part : parts)
        end = std::ranges::copy(part, end).out;
    return std::shared_ptr<const LockedSecret>(new LockedSecret(shared_from_this(), bytes));
}

std::string SecretArena::warning() const
{
    const std::lock_guard lock(m_mutex);
    if (!m_isLockRefused)
        return {};
    return "the system refused to lock the memory that holds secrets, so they may be written to "
           "swap; "
           "raise the limit (ulimit -l, LimitMEMLOCK=) to 1 MiB or more";
}

std::span<char> SecretArena::allocate(std::size_t size)
{
    // An empty secret takes a place too, so that each has an address of its own.
    const std::size_t length = roundedUp(std::max<std::size_t>(size, 1), alignment);
    const std::lock_guard lock(m_mutex);
    for (Region &region : m_regions) {
        if (char *begin = region.take(length))
            return {begin, size};
    }
    Region &added = m_regions.emplace_back(length);
    m_isLockRefused = m_isLockRefused || !added.isLocked();
    return {added.take(length), size};
}

void SecretArena::release(std::span<char> bytes)
{
    OPENSSL_cleanse(bytes.data(), bytes.size());
    const std::lock_guard lock(m_mutex);
    const auto region = std::ranges::find_if(
        m_regions, [&](const Region &one) { return one.holds(bytes.data()); });
    region->giveBack(bytes.data());
    if (region->isEmpty() && m_regions.size() > 1)
        m_regions.erase(region);
}

} // namespace gatehouse
