// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/policies/policytest.h"
#include "tests/support/jose.h"

#include <QTest>

namespace gatehouse::test {

inline const QByteArray jwksConfig = "issuer: https://issuer.example\n"
                                     "jwksUrl: https://issuer.example/keys\n"
                                     "audiences: [gatehouse]\n";

inline QByteArray bearer(const std::string &token)
{
    return "Authorization: Bearer " + QByteArray::fromStdString(token) + "\r\n";
}

/// Claims that pass jwksConfig while FakeServices' clock is at its beginning, 1800000000; \a more: members.
inline std::string claims(const std::string &more = {})
{
    return R"({"iss":"https:\/\/issuer.example","aud":"gatehouse","exp":1800003600)"
           + (more.empty() ? more : "," + more) + "}";
}

inline QByteArray indentedPem(const std::string &pem)
{
    return "publicKey: |\n  " + QByteArray::fromStdString(pem).trimmed().replace("\n", "\n  ")
           + "\n";
}

/// An issuer with two keys and a third to come, and the policy that asks it.
class JwtIssuer
{
public:
    [[nodiscard]] std::string jwks() const
    {
        return R"({"keys":[)" + rsa.jwk(R"("kid":"rsa")") + "," + ec.jwk(R"("kid":"ec")") + "]}";
    }
    [[nodiscard]] std::string rotatedJwks() const
    {
        return R"({"keys":[)" + ec.jwk(R"("kid":"ec")") + "," + next.jwk(R"("kid":"next")") + "]}";
    }
    [[nodiscard]] std::string good(const std::string &more = {}) const
    {
        return ec.token("ES256", R"("kid":"ec")", claims(more));
    }
    [[nodiscard]] std::string rotated() const
    {
        return next.token("ES256", R"("kid":"next")", claims());
    }
    /// Begins anew, with nothing fetched.
    void reset()
    {
        policy = std::make_unique<PolicyTest>("jwt");
        policy->addClient("ci");
        policy->addClient("elsewhere", {"another"});
    }
    void make(const QByteArray &yaml, bool observes = false, bool allowsOnError = false)
    {
        QVERIFY2(policy->make(yaml, observes, allowsOnError), policy->context.said().constData());
    }
    /// Lets a token pass, for which the keys are fetched.
    void fetchKeys(const std::string &more = {})
    {
        const auto first = policy->start(bearer(good(more)));
        QCOMPARE(first->result(), QByteArray("paused"));
        policy->services.answer(200, jwks());
        QCOMPARE(first->result(), QByteArray("pass"));
    }

    const SigningKey rsa = SigningKey::rsa();
    const SigningKey ec = SigningKey::ec("P-256");
    const SigningKey next = SigningKey::ec("P-256");
    std::unique_ptr<PolicyTest> policy;
};

} // namespace gatehouse::test
