// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/pipeline/counterkey.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/quota/keyed.h"
#include "gateway/quota/seats.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

using quota::Seats;
using std::chrono::milliseconds;

struct Config
{
    std::int64_t max = 0;
    std::int64_t queue = 0;
    milliseconds queueTimeout{5'000};
    std::string key = "client";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::max>({.key = "max",
                                 .label = "At the same time",
                                 .help
                                 = "So many requests may be under way, from their head to the "
                                   "last byte of their answer",
                                 .min = 1,
                                 .max = 1'000'000,
                                 .required = true}),
            field<&Config::queue>({.key = "queue",
                                   .label = "Waiting",
                                   .help
                                   = "So many more wait for their turn; the next ones are refused "
                                     "with 429",
                                   .max = 100'000}),
            field<&Config::queueTimeout>({.key = "queueTimeout",
                                          .label = "Longest wait",
                                          .help = "Whoever waits for longer is refused with 503",
                                          .unit = Unit::Milliseconds,
                                          .min = 1,
                                          .max = 600 * 1000}),
            field<&Config::key>({.key = "key",
                                 .label = "Count by",
                                 .help = CounterKey::help,
                                 .max = 256,
                                 .problem = &CounterKey::problem}),
        });
        return rows;
    }
};

/// What outlives a reload; shared by all workers. A seat's holder keeps it.
struct Rooms
{
    quota::Keyed<Seats> keys{std::chrono::minutes(1), [] { return std::make_unique<Seats>(); }};
};

/// The exchange's seat, or its place in the queue.
class Seat final : public PolicyState
{
public:
    Seat() = default;
    ~Seat() override
    {
        if (m_waiter)
            (void)m_seats->leave(m_waiter); // else the seat comes, and finds nobody who waits
        else if (m_seats != nullptr)
            m_seats->giveBack(m_max);
    }
    Seat(const Seat &) = delete;
    Seat(Seat &&) = delete;
    Seat &operator=(const Seat &) = delete;
    Seat &operator=(Seat &&) = delete;

    /// \a waiter: null where the seat is there.
    void hold(std::shared_ptr<Rooms> rooms,
              Seats &seats,
              std::int64_t max,
              std::shared_ptr<Seats::Waiter> waiter)
    {
        m_rooms = std::move(rooms);
        m_seats = &seats;
        m_max = max;
        m_waiter = std::move(waiter);
    }
    void seated() { m_waiter.reset(); }
    /// False where the seat is about to come.
    [[nodiscard]] bool giveUp()
    {
        if (!m_seats->leave(m_waiter))
            return false;
        m_waiter.reset();
        m_seats = nullptr;
        return true;
    }

private:
    std::shared_ptr<Rooms> m_rooms; ///< which own the seats
    Seats *m_seats = nullptr;
    std::int64_t m_max = 0;
    std::shared_ptr<Seats::Waiter> m_waiter;
};

class Concurrency final : public Policy
{
public:
    Concurrency(const Config &config, std::shared_ptr<Rooms> rooms)
        : m_config(config)
        , m_key(*CounterKey::parse(config.key))
        , m_rooms(std::move(rooms))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        return std::make_unique<Concurrency>(config, context.state<Rooms>(config.key));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(m_key.phase());
    }
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        return m_key.readsBody(exchange);
    }
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        return m_key.phase() == PolicyPhase::RequestHead ? admit(exchange) : Continue{};
    }
    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        return m_key.phase() == PolicyPhase::RequestBody ? admit(exchange) : Continue{};
    }

private:
    [[nodiscard]] Verdict admit(Exchange &exchange) const
    {
        auto key = m_key.textOf(exchange);
        if (!key)
            return Reply::of(key.error());
        const std::int64_t queue = exchange.isObserved() ? 0 : m_config.queue;
        Seats *seats = nullptr;
        std::shared_ptr<Seats::Waiter> waiter;
        std::optional<Resume> resume;
        Seat &seat = exchange.state<Seat>();
        const Seats::Place place
            = m_rooms->keys.use(*key, exchange.services().now(), [&](Seats &found) {
                  seats = &found;
                  if (found.take(m_config.max))
                      return Seats::Place::Seat;
                  if (queue == 0)
                      return Seats::Place::None;
                  resume = exchange.pause();
                  waiter = waiterFor(exchange, found, *resume);
                  return found.takeOrWait(m_config.max, queue, waiter);
              });
        switch (place) {
        case Seats::Place::None:
            return refusal(429, queue > 0 ? ", and as many wait already as may" : "");
        case Seats::Place::Seat:
            seat.hold(m_rooms, *seats, m_config.max, nullptr);
            return Continue{};
        case Seats::Place::Queue:
            break;
        }
        seat.hold(m_rooms, *seats, m_config.max, std::move(waiter));
        exchange.services().after(m_config.queueTimeout, [this, resume = *resume, &seat] {
            if (resume.isAwaited() && seat.giveUp())
                resume(refusal(503, " for " + formatDuration(m_config.queueTimeout)));
        });
        return Pause{};
    }

    /// Whoever gives a seat back may be another worker.
    [[nodiscard]] std::shared_ptr<Seats::Waiter>
    waiterFor(Exchange &exchange, Seats &seats, const Resume &resume) const
    {
        Seat &seat = exchange.state<Seat>();
        auto waiter = std::make_shared<Seats::Waiter>();
        waiter->seated = [post = exchange.services().poster(),
                          resume,
                          &seat,
                          &seats,
                          rooms = m_rooms,
                          max = m_config.max] {
            post([resume, &seat, &seats, rooms, max] {
                if (!resume.isAwaited()) { // it went while its seat came, and its state with it
                    seats.giveBack(max);
                    return;
                }
                seat.seated();
                resume(Continue{});
            });
        };
        return waiter;
    }

    [[nodiscard]] Reply refusal(int status, const std::string &detail) const
    {
        return {.status = status,
                .reason = status == 503 ? "concurrency:queue" : "concurrency",
                .message = "As many requests as may (" + std::to_string(m_config.max)
                           + ") are under way" + detail,
                .retryable = true,
                .headers = {{"retry-after", "1"}}};
    }

    Config m_config;
    CounterKey m_key;
    std::shared_ptr<Rooms> m_rooms;
};

} // namespace

PolicyType concurrencyPolicy()
{
    return describe<Config, Concurrency>(
        {.id = "concurrency",
         .title = "Concurrency",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Lets so many requests be under way at the same time; the next ones wait in a "
           "queue, in their order. Refuses with 429 what finds the queue full, and with 503 "
           "what waited for too long",
         .defaultOrder = 56,
         .example = "max: 4\n"
                    "queue: 16\n"
                    "queueTimeout: 30s\n"});
}

} // namespace gatehouse
