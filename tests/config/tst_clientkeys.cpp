// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/clientkeys.h"

#include <QTest>

#include <chrono>

using namespace gatehouse;
using namespace std::chrono_literals;

class TestClientKeys : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void retireKeys_earlierExpiry_isNotProlonged()
    {
        const Instant now = *parseInstant("2026-11-23T09:00:00Z");
        ClientSpec client;
        client.keys = {{.id = "soon", .expires = "2026-11-23T10:00:00Z"},
                       {.id = "late", .expires = "2026-12-24T00:00:00Z"},
                       {.id = "never"},
                       {.id = "over", .expires = "2026-11-23T09:00:00Z"},
                       {.id = "revoked", .revoked = true}};
        retireKeys(client, now, 24h);
        std::vector<std::string> ends;
        for (const KeySpec &key : client.keys)
            ends.push_back(key.expires);
        QVERIFY((ends
                 == std::vector<std::string>{"2026-11-23T10:00:00Z",
                                             "2026-11-24T09:00:00Z",
                                             "2026-11-24T09:00:00Z",
                                             "2026-11-23T09:00:00Z",
                                             ""}));
        QVERIFY(!client.keys.at(2).revoked);
        retireKeys(client, now, 0ms);
        QVERIFY(client.keys.at(0).revoked && client.keys.at(2).revoked);
        QVERIFY(!client.keys.at(3).revoked); // it was over before
    }

    void stateOf_aKey_changesAtItsExpiry()
    {
        const KeySpec key{.id = "k1", .expires = "2026-11-23T09:00:00Z"};
        const Instant end = *parseInstant(key.expires);
        QVERIFY(stateOf(key, end - 1ms) == KeyState::Valid);
        QVERIFY(stateOf(key, end) == KeyState::Expired);
        QVERIFY(stateOf({.id = "k1"}, end) == KeyState::Valid);
        QVERIFY(stateOf({.id = "k1", .expires = key.expires, .revoked = true}, end)
                == KeyState::Revoked);
    }

    void nextKeyId_oddIds_areNotInTheWay()
    {
        ClientSpec client;
        QCOMPARE(nextKeyId(client), std::string("k1"));
        client.keys = {{.id = "k7"}, {.id = "key"}, {.id = "k9x"}, {.id = "x99"}, {.id = "k3"}};
        QCOMPARE(nextKeyId(client), std::string("k8"));
        client.keys = {{.id = "k18446744073709551615"}, {.id = "k99999999999999999999"}};
        QCOMPARE(nextKeyId(client), std::string("k1"));
    }
};

QTEST_GUILESS_MAIN(TestClientKeys)
#include "tst_clientkeys.moc"
