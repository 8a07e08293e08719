// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/quota/siphash.h"
#include "gateway/quota/window.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::quota {

/// Cells of counters in a file that is mapped and changed in place, so that neither the end of the process
/// nor kill -9 loses a count; what a power failure loses is what the kernel had not yet written, some tens of
/// seconds. Of one process at a time. Any thread, without a lock but to get a new slot.
///
/// The file has a clock of its own, which goes on by the steady clock while the machine runs, over restarts of
/// the process too; after a boot it goes on from where it was plus what the wall clock says has passed since, which is
/// never less than nothing: a clock that is set back gives nothing back. Private to the user (0600).
class CounterFile
{
public:
    static constexpr std::size_t mostSlots = std::size_t{1}
                                             << 18; ///< keys; more are counted in memory

    /// One key's memory; its cell begins as zeros.
    class Slot
    {
    public:
        [[nodiscard]] std::byte *cell() { return reinterpret_cast<std::byte *>(this + 1); }
        /// From now on the cell counts for the key of that hash, also after a restart.
        void name(const Hash128 &hash);
        /// It counts for nobody; to be called before the cell is changed for another key.
        void unname();
        [[nodiscard]] Hash128 hash() const { return {m_low.load(), m_high.load()}; }
        [[nodiscard]] bool isNamed() const { return m_high.load() != 0; }

    private:
        std::atomic<std::uint64_t> m_low;
        std::atomic<std::uint64_t> m_high; ///< 0: of nobody
    };

    /// Opens or makes \a path, whose cells have \a cellBytes (a multiple of 8) and are of \a shape, a text that
    /// says what they count. One that is not of this shape, or broken, is renamed to `….broken` and begun
    /// anew. Fails with a sentence for the log, also where another process has it.
    [[nodiscard]] static Result<std::shared_ptr<CounterFile>, std::string>
    open(const std::string &path,
         std::size_t cellBytes,
         std::string_view shape,
         Time now,
         std::chrono::system_clock::time_point wall);

    ~CounterFile();
    CounterFile(const CounterFile &) = delete;
    CounterFile(CounterFile &&) = delete;
    CounterFile &operator=(const CounterFile &) = delete;
    CounterFile &operator=(CounterFile &&) = delete;

    /// Under which the hashes of its keys were made.
    [[nodiscard]] const SipKey &key() const;
    /// The file's clock at \a now of the steady one; notes that it was so at \a wall.
    [[nodiscard]] Time timeAt(Time now, std::chrono::system_clock::time_point wall);
    /// A slot that is of nobody; null where there is no room, on the disk or at all.
    [[nodiscard]] Slot *newSlot();
    /// Calls for each slot that is somebody's.
    void forEach(const std::function<void(Slot &)> &call);

private:
    struct Header;

    CounterFile(int descriptor, std::byte *memory, std::size_t mapped, std::size_t slotBytes);
    [[nodiscard]] static Result<std::shared_ptr<CounterFile>, std::string>
    map(int descriptor, std::size_t slotBytes, std::size_t size);
    void begin(std::string_view shape, Time now, std::chrono::system_clock::time_point wall);
    [[nodiscard]] bool goOn(std::size_t size,
                            std::string_view shape,
                            Time now,
                            std::chrono::system_clock::time_point wall);
    [[nodiscard]] Header &header() const;
    [[nodiscard]] Slot &slotAt(std::size_t index) const;
    [[nodiscard]] bool grow();

    int m_descriptor;
    std::byte *m_memory;
    std::size_t m_mapped;
    std::size_t m_slotBytes;
    std::mutex m_mutex;              ///< of the members below
    std::size_t m_slots = 0;         ///< that the file has room for
    std::size_t m_used = 0;          ///< handed out, from the front
    std::vector<std::size_t> m_free; ///< among them
};

} // namespace gatehouse::quota
