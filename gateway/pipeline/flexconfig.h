// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/decode.h"
#include "gateway/secrets/secret.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// Where a config was written, and what of it came from the environment.
struct FlexOrigin
{
    struct Variable
    {
        Place place;
        std::string name;
    };

    std::string file = {};
    std::vector<Variable> variables
        = {}; ///< scalars that were `$NAME` and stand replaced in the config
};

/// A secret that stands in the document itself.
struct FlexSecret
{
    std::string reference; ///< `file:FILE#LINE:COLUMN`, by which native documents name it
    Secret value;
};

/// The `config` of a policy in a MuleSoft document while it is translated: each key is taken once,
/// keys that nobody took are warnings in the end, and what cannot mean the same is refused, so that no policy is
/// applied by half.
class FlexConfig
{
public:
    /// \a config: a map, or null where the document has none.
    FlexConfig(const Node *config, Place place, Reporter &reporter, FlexOrigin origin = {})
        : m_config(config)
        , m_place(place)
        , m_reporter(reporter)
        , m_origin(std::move(origin))
    {}
    ~FlexConfig() = default;
    FlexConfig(const FlexConfig &) = delete;
    FlexConfig(FlexConfig &&) = delete;
    FlexConfig &operator=(const FlexConfig &) = delete;
    FlexConfig &operator=(FlexConfig &&) = delete;

    /// The value under \a key, or null where it is absent or has no value; marks it as known.
    [[nodiscard]] const Node *take(std::string_view key);
    /// Scalars under a key; the fallback where the key is absent, a refusal where it is of another type.
    [[nodiscard]] std::string text(std::string_view key, std::string_view fallback = {});
    /// As text(), and a refusal where the key is absent or its text empty.
    [[nodiscard]] std::string requiredText(std::string_view key);
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback);
    [[nodiscard]] bool boolean(std::string_view key, bool fallback);
    /// A list of texts, each with its place, ready for a native document; empty where the key is absent.
    [[nodiscard]] Node list(std::string_view key);
    /// A text that is secret, as the reference that SecretText holds: `env:NAME` where it was `$NAME`, else
    /// one to this place of the document. Null kind where the key is absent; refused where it is empty.
    [[nodiscard]] Node secret(std::string_view key);
    /// As secret(), and a refusal where the key is absent.
    [[nodiscard]] Node requiredSecret(std::string_view key);
    /// The map under a key, or null where it is absent; what refuses it refuses this. Owned by this.
    [[nodiscard]] FlexConfig *record(std::string_view key);
    /// Likewise the maps of a list.
    [[nodiscard]] std::vector<FlexConfig *> records(std::string_view key);
    /// The texts of a map under a key, as they stand there; an empty map where it is absent.
    [[nodiscard]] Node texts(std::string_view key);

    /// Where the config stands, or the value under a key of it.
    [[nodiscard]] Place place() const { return m_place; }
    [[nodiscard]] Place placeOf(std::string_view key) const;

    /// The policy cannot be loaded: a warning `key: message` at the place of \a key, or of the config where
    /// that is empty. translate() returns null after that. \a message never holds a secret.
    void refuse(std::string_view key, const std::string &message);
    void warn(std::string_view key, const std::string &message);
    [[nodiscard]] bool isRefused() const { return !m_refusal.empty(); }
    /// `key: message` of the first refusal, for those who meet the policy; empty where there is none.
    [[nodiscard]] const std::string &refusal() const { return m_refusal; }
    /// What secret() found in the document itself, nested records too; given away.
    [[nodiscard]] std::vector<FlexSecret> takeSecrets() { return std::move(m_secrets); }
    /// Warns of the keys that were not taken, in nested records too.
    void warnOfUnknown();

private:
    [[nodiscard]] const Node *takeScalar(std::string_view key, std::string_view wanted);
    [[nodiscard]] FlexConfig *adopt(const Node &map, std::string_view key);
    void refuseKind(std::string_view key, std::string_view wanted, const Node &found);
    void refuseAt(Place place, const std::string &reason);
    [[nodiscard]] FlexConfig &root();

    const Node *m_config;
    Place m_place;
    Reporter &m_reporter;
    FlexOrigin m_origin; ///< of the outermost config
    std::vector<FlexSecret> m_secrets;
    FlexConfig *m_parent = nullptr;
    std::set<std::string, std::less<>> m_taken;
    std::vector<std::unique_ptr<FlexConfig>> m_records;
    std::string m_refusal;
};

} // namespace gatehouse
