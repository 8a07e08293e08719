// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/counterfile.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse::quota {

namespace {

constexpr std::array<char, 8> magic{'g', 'h', 'q', 'u', 'o', 't', 'a', '1'};
constexpr std::size_t headerBytes = 4096;
constexpr std::size_t step = std::size_t{64} * 1024; ///< by which a file grows

using Nanoseconds = std::chrono::nanoseconds;

std::int64_t ticks(Time time)
{
    return Nanoseconds(time.time_since_epoch()).count();
}

std::int64_t ticks(std::chrono::system_clock::time_point time)
{
    return Nanoseconds(time.time_since_epoch()).count();
}

/// Changes with every boot; empty where the system does not say.
std::string bootId()
{
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

template<std::size_t N>
void keep(std::array<char, N> &place, std::string_view text)
{
    place.fill('\0');
    std::copy_n(text.begin(), std::min(text.size(), N - 1), place.begin());
}

Unexpected<std::string> cannotKeep(const std::string &path, const std::string &why)
{
    return Unexpected("counts are not kept over a restart: " + path + " " + why);
}

} // namespace

struct CounterFile::Header
{
    std::array<char, 8> magic;
    std::uint64_t slotBytes;
    std::array<char, 512> shape;
    std::array<char, 64> boot;
    SipKey key;
    std::atomic<std::int64_t> offset;   ///< from the steady clock of that boot to the file's, ns
    std::atomic<std::int64_t> lastTime; ///< of the file's clock, ns
    std::atomic<std::int64_t> lastWall; ///< at that time, ns since 1970
};

void CounterFile::Slot::name(const Hash128 &hash)
{
    m_low.store(hash[0]);
    m_high.store(hash[1] == 0 ? 1 : hash[1]); // last: a slot that is half named is nobody's
}

void CounterFile::Slot::unname()
{
    m_high.store(0);
}

/// An open and locked file of the user's own.
static Result<int, std::string> openLocked(const std::string &path)
{
    const int descriptor
        = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return cannotKeep(path, std::string("cannot be opened: ") + std::strerror(errno));
    struct stat status = {};
    const bool isPrivate = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)
                           && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (isPrivate && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor;
    ::close(descriptor);
    return cannotKeep(path,
                      isPrivate ? "is in use by another gateway with this data directory"
                                : "must be a file that nobody else may read (chmod 600)");
}

static std::size_t sizeOf(int descriptor)
{
    struct stat status = {};
    return ::fstat(descriptor, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

Result<std::shared_ptr<CounterFile>, std::string>
CounterFile::open(const std::string &path,
                  std::size_t cellBytes,
                  std::string_view shape,
                  Time now,
                  std::chrono::system_clock::time_point wall)
{
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto descriptor = openLocked(path);
        if (!descriptor)
            return Unexpected(descriptor.error());
        const std::size_t size = sizeOf(*descriptor);
        auto file = map(*descriptor, sizeof(Slot) + cellBytes, size);
        if (!file)
            return cannotKeep(path, "finds no room: " + file.error());
        if (size == 0)
            (*file)->begin(shape, now, wall);
        if (size == 0 || (*file)->goOn(size, shape, now, wall))
            return std::move(*file);
        *file = nullptr; // of something else
        if (::rename(path.c_str(), (path + ".broken").c_str()) != 0)
            break;
    }
    return cannotKeep(path, "is not of this gateway; remove it");
}

/// Takes over the descriptor.
Result<std::shared_ptr<CounterFile>, std::string>
CounterFile::map(int descriptor, std::size_t slotBytes, std::size_t size)
{
    static_assert(sizeof(Header) <= headerBytes);
    const std::size_t mapped = headerBytes + mostSlots * slotBytes;
    const int failed = size == 0 ? ::posix_fallocate(descriptor, 0, headerBytes) : 0;
    void *memory = failed != 0 ? MAP_FAILED
                               : ::mmap(nullptr,
                                        mapped,
                                        PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_NORESERVE,
                                        descriptor,
                                        0);
    if (memory == MAP_FAILED) {
        const std::string why = std::strerror(failed != 0 ? failed : errno);
        ::close(descriptor);
        return Unexpected(why);
    }
    return std::shared_ptr<CounterFile>(
        new CounterFile(descriptor, static_cast<std::byte *>(memory), mapped, slotBytes));
}

void CounterFile::begin(std::string_view shape,
                        Time now,
                        std::chrono::system_clock::time_point wall)
{
    Header &file = header();
    file.slotBytes = m_slotBytes;
    keep(file.shape, shape);
    keep(file.boot, bootId());
    std::random_device random;
    for (std::uint64_t &word : file.key)
        word = std::uint64_t{random()} << 32 | random();
    file.lastTime = ticks(now);
    file.lastWall = ticks(wall);
    file.magic = magic; // last: without it the file is begun anew
}

/// False where the file is not of this shape.
bool CounterFile::goOn(std::size_t size,
                       std::string_view shape,
                       Time now,
                       std::chrono::system_clock::time_point wall)
{
    Header &file = header();
    std::array<char, 512> wanted{};
    keep(wanted, shape);
    if (size < headerBytes || file.magic != magic || file.slotBytes != m_slotBytes
        || file.shape != wanted)
        return false;
    const std::string boot = bootId();
    if (boot.empty() || boot != file.boot.data()) {
        const std::int64_t passed = std::max<std::int64_t>(ticks(wall) - file.lastWall.load(), 0);
        file.offset = file.lastTime.load() + passed - ticks(now);
        keep(file.boot, boot);
    }
    m_slots = m_used = std::min((size - headerBytes) / m_slotBytes, mostSlots);
    for (std::size_t i = m_slots; i-- > 0;) {
        if (!slotAt(i).isNamed())
            m_free.push_back(i);
    }
    return true;
}

CounterFile::CounterFile(int descriptor,
                         std::byte *memory,
                         std::size_t mapped,
                         std::size_t slotBytes)
    : m_descriptor(descriptor)
    , m_memory(memory)
    , m_mapped(mapped)
    , m_slotBytes(slotBytes)
{}

CounterFile::~CounterFile()
{
    ::munmap(m_memory, m_mapped);
    ::close(m_descriptor);
}

// What lies in the file are atomics without pointers, which are the same bytes in every process.

CounterFile::Header &CounterFile::header() const
{
    return *reinterpret_cast<Header *>(m_memory);
}

CounterFile::Slot &CounterFile::slotAt(std::size_t index) const
{
    return *reinterpret_cast<Slot *>(m_memory + headerBytes + index * m_slotBytes);
}

const SipKey &CounterFile::key() const
{
    return header().key;
}

Time CounterFile::timeAt(Time now, std::chrono::system_clock::time_point wall)
{
    Header &file = header();
    const std::int64_t time = ticks(now) + file.offset.load(std::memory_order_relaxed);
    file.lastTime.store(time, std::memory_order_relaxed);
    file.lastWall.store(ticks(wall), std::memory_order_relaxed);
    return Time(std::chrono::duration_cast<Duration>(Nanoseconds(time)));
}

CounterFile::Slot *CounterFile::newSlot()
{
    const std::lock_guard lock(m_mutex);
    std::size_t index = m_used;
    if (!m_free.empty()) {
        index = m_free.back();
        m_free.pop_back();
    } else if (m_used < m_slots || grow()) {
        ++m_used;
    } else {
        return nullptr;
    }
    Slot &slot = slotAt(index);
    std::memset(slot.cell(), 0, m_slotBytes - sizeof(Slot));
    return &slot;
}

/// The room is allocated before it is touched: a hole on a full disk would be a SIGBUS.
bool CounterFile::grow()
{
    if (m_slots == mostSlots)
        return false;
    const std::size_t more = std::max<std::size_t>(step / m_slotBytes, 1);
    const std::size_t slots = std::min(m_slots + more, mostSlots);
    const std::size_t from = headerBytes + m_slots * m_slotBytes;
    const std::size_t to = headerBytes + slots * m_slotBytes;
    if (::posix_fallocate(m_descriptor, static_cast<off_t>(from), static_cast<off_t>(to - from))
        != 0)
        return false;
    m_slots = slots;
    return true;
}

void CounterFile::forEach(const std::function<void(Slot &)> &call)
{
    for (std::size_t i = 0; i < m_used; ++i) {
        if (slotAt(i).isNamed())
            call(slotAt(i));
    }
}

} // namespace gatehouse::quota
