// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::size_t fingerprintDigits = 64;

/// 64 lower-case hexadecimal digits of a SHA-256 fingerprint in any of the usual spellings; empty
/// where it is none.
std::string readFingerprint(std::string_view text)
{
    for (const std::string_view label : {"sha256 fingerprint=", "sha256:", "sha-256:"}) {
        if (equalsIgnoreCase(text.substr(0, label.size()), label)) {
            text.remove_prefix(label.size());
            break;
        }
    }
    const char separator = text.size() > 2 ? text[2] : ':';
    const bool isSeparated = separator == ':' || separator == '-' || separator == ' ';
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (isSeparated && i % 3 == 2) {
            if (text[i] != separator || i + 1 == text.size())
                return {};
        } else if (hexValue(text[i]) < 0) {
            return {};
        } else {
            digits += toLowerAscii(text[i]);
        }
    }
    return digits.size() == fingerprintDigits ? digits : std::string();
}

std::string fingerprintProblem(std::string_view text)
{
    return readFingerprint(text).empty() ? "must be a SHA-256 fingerprint: 64 hexadecimal digits, "
                                           "with or without colons between the bytes"
                                         : std::string();
}

/// The name of a certificate's owner (RFC 4514), taken apart so that spellings of one name are equal:
/// attribute types in any case, escapes, blanks around separators, order within an RDN.
class DistinguishedName
{
public:
    /// Null where \a text is none.
    static std::optional<DistinguishedName> parse(std::string_view text)
    {
        DistinguishedName name;
        name.m_rdns.emplace_back();
        for (;;) {
            Attribute attribute;
            if (!readType(text, attribute.type) || !readValue(text, attribute.value))
                return std::nullopt;
            name.m_rdns.back().push_back(std::move(attribute));
            if (text.empty())
                break;
            if (text.front() == ',')
                name.m_rdns.emplace_back();
            text.remove_prefix(1);
        }
        for (auto &rdn : name.m_rdns)
            std::ranges::sort(rdn);
        return name;
    }

    bool operator==(const DistinguishedName &) const = default;

private:
    struct Attribute
    {
        std::string type;
        std::string value;

        auto operator<=>(const Attribute &) const = default;
    };

    static bool isEnd(char c) { return c == ',' || c == '+'; }

    static void skipBlanks(std::string_view &text)
    {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    }

    /// Up to and with the `=`; a short name or an object identifier.
    static bool readType(std::string_view &text, std::string &type)
    {
        skipBlanks(text);
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
            return false;
        std::string_view name = text.substr(0, equals);
        while (name.ends_with(' '))
            name.remove_suffix(1);
        text.remove_prefix(equals + 1);
        type = toLowerAscii(name);
        return !name.empty() && std::ranges::all_of(name, [](char c) {
            return isAlphanumeric(c) || c == '-' || c == '.';
        });
    }

    /// Up to the next separator, without blanks that are not escaped at either end.
    static bool readValue(std::string_view &text, std::string &value)
    {
        skipBlanks(text);
        if (text.starts_with('#')) // DER bytes: not the text that says the same
            value += '\0';
        std::size_t kept = 0;
        while (!text.empty() && !isEnd(text.front())) {
            const char c = text.front();
            text.remove_prefix(1);
            if (c == '\\') {
                if (!readEscape(text, value))
                    return false;
                kept = value.size();
                continue;
            }
            constexpr std::string_view onlyEscaped = "\";<>";
            if (onlyEscaped.find(c) != std::string_view::npos || c == '\0')
                return false;
            value += c;
            if (c != ' ')
                kept = value.size();
        }
        value.resize(kept);
        return !value.empty();
    }

    /// What stands behind a backslash: two hexadecimal digits, or a special character.
    static bool readEscape(std::string_view &text, std::string &value)
    {
        constexpr std::string_view special = "\\\"+,;<>= #";
        if (text.size() >= 2 && hexValue(text[0]) >= 0 && hexValue(text[1]) >= 0) {
            value += static_cast<char>(hexValue(text[0]) << 4 | hexValue(text[1]));
            text.remove_prefix(2);
            return value.back() != '\0';
        }
        if (text.empty() || special.find(text.front()) == std::string_view::npos)
            return false;
        value += text.front();
        text.remove_prefix(1);
        return true;
    }

    std::vector<std::vector<Attribute>> m_rdns;
};

bool isWholeSubject(std::string_view text)
{
    return text.find('=') != std::string_view::npos;
}

std::string subjectProblem(std::string_view text)
{
    if (text.empty() || (isWholeSubject(text) && !DistinguishedName::parse(text)))
        return "must be a subject such as CN=ci,O=Example (RFC 4514, the common name first), or a "
               "common name alone";
    return {};
}

struct Config
{
    std::vector<std::string> subjects;
    std::vector<std::string> fingerprints;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::subjects>(
                {.key = "subjects",
                 .label = "Subjects",
                 .help = "Whom certificates may belong to: a whole subject as RFC 4514 writes it, "
                         "CN=ci,O=Example (openssl x509 -subject -nameopt RFC2253), or, without an "
                         "=, a common name alone, whatever else the subject says. Letters in their "
                         "case",
                 .max = 10'000,
                 .problem = &subjectProblem}),
            field<&Config::fingerprints>(
                {.key = "fingerprints",
                 .label = "Fingerprints",
                 .help
                 = "SHA-256 over a certificate: 64 hexadecimal digits, with or without colons "
                   "(openssl x509 -fingerprint -sha256)",
                 .max = 10'000,
                 .problem = &fingerprintProblem}),
        });
        return rows;
    }
};

/// Lets requests pass whose TLS connection showed a certificate that is listed. That it is genuine was
/// seen to in the handshake.
class ClientCertificate final : public Policy
{
public:
    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        auto policy = std::make_unique<ClientCertificate>();
        for (const std::string &text : config.subjects) {
            if (!isWholeSubject(text))
                policy->m_commonNames.push_back(text);
            else if (auto name = DistinguishedName::parse(text))
                policy->m_subjects.push_back(std::move(*name));
        }
        for (const std::string &text : config.fingerprints)
            policy->m_fingerprints.push_back(readFingerprint(text));
        std::ranges::sort(policy->m_commonNames);
        std::ranges::sort(policy->m_fingerprints);
        return policy;
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const PeerCertificate *certificate = exchange.peer().certificate.get();
        if (certificate == nullptr)
            return Reply{.reason = "client-certificate:missing",
                         .message = "A client certificate is needed here, and none was shown; the "
                                    "listener asks for one where its tls.clientCa is set"};
        if (takesAll() || lists(*certificate))
            return Continue{};
        return Reply{.reason = "client-certificate:unknown",
                     .message = "The client certificate of " + inQuotes(certificate->subject)
                                + " is not one of those that are allowed here"};
    }

private:
    [[nodiscard]] bool takesAll() const
    {
        return m_commonNames.empty() && m_subjects.empty() && m_fingerprints.empty();
    }
    [[nodiscard]] bool lists(const PeerCertificate &certificate) const
    {
        if (std::ranges::binary_search(m_fingerprints, certificate.fingerprint))
            return true;
        if (!certificate.commonName.empty()
            && std::ranges::binary_search(m_commonNames, certificate.commonName))
            return true;
        const auto subject = DistinguishedName::parse(certificate.subject);
        return subject && std::ranges::find(m_subjects, *subject) != m_subjects.end();
    }

    std::vector<std::string> m_commonNames; ///< in order
    std::vector<DistinguishedName> m_subjects;
    std::vector<std::string> m_fingerprints; ///< in order
};

/// Theirs says how a listener does TLS; a policy of ours cannot, and half of it would leave it open.
std::optional<Node> translate(FlexConfig &config)
{
    config.refuse({},
                  "TLS belongs to a listener here: set tls (certificate, key, clientCa) at the "
                  "Gateway's listener, and add a Policy of type client-certificate where "
                  "requireClientCertificate is true");
    return std::nullopt;
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"tls", &translate}}};

} // namespace

PolicyType clientCertificatePolicy()
{
    return describe<Config, ClientCertificate>(
        {.id = "client-certificate",
         .title = "Client certificate",
         .category = PolicyCategory::Security,
         .summary
         = "Lets only requests pass whose connection showed a certificate with a listed subject or "
           "fingerprint, signed by the listener's tls.clientCa; without any listed, every such "
           "certificate. All others are refused with 403",
         .flex = counterparts,
         .example = "subjects: [\"CN=build-server,O=Example\", laptop-7]\n"});
}

} // namespace gatehouse
