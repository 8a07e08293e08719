// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/execenvironment.h"
#include "tests/config/configdir.h"

#include <QTest>

#include <algorithm>

using namespace gatehouse;

namespace {

std::vector<std::string> names(const std::vector<AnnouncedRoute> &routes)
{
    std::vector<std::string> all;
    for (const AnnouncedRoute &route : routes)
        all.push_back(route.name);
    return all;
}

AnnouncedRoute route(const char *name, const char *dialect)
{
    const std::string url = std::string("http://127.0.0.1:4283/") + name;
    return {name, dialect, url, url, false};
}

using Texts = std::vector<std::string>;

} // namespace

/// What a command that gatehouse exec runs finds in its environment.
class TestExecEnvironment : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void routes_ofOneDialect_namesakeThenFirstThenWanted()
    {
        const std::vector<AnnouncedRoute> routes{route("zeta", "openai"),
                                                 route("alpha", "openai"),
                                                 route("anthropic", "anthropic"),
                                                 route("aaa", "anthropic")};
        QVERIFY((names(*chooseRoutes(routes, {}, {})) == Texts{"anthropic", "alpha"}));
        QVERIFY((names(*chooseRoutes(routes, Texts{"zeta"}, {})) == Texts{"zeta", "anthropic"}));
        QVERIFY((names(*chooseRoutes(routes, {}, Texts{"zeta", "aaa"})) == Texts{"aaa", "zeta"}));
        QVERIFY(chooseRoutes(routes, {}, Texts{"gone"})->empty());
    }

    void routes_wrong_areRefused()
    {
        const std::vector<AnnouncedRoute> routes{route("one", "openai"), route("two", "openai")};
        const auto unknown = chooseRoutes(routes, Texts{"onne"}, {});
        QVERIFY(!unknown && unknown.error().ends_with("; did you mean \"one\"?"));
        QVERIFY(!chooseRoutes(routes, Texts{"one"}, Texts{"two"}));
        const auto both = chooseRoutes(routes, Texts{"one", "two"}, {});
        QVERIFY(!both && both.error().find("both of dialect openai") != std::string::npos);
    }

    void environment_ofAllDialects_isWhatTheirSdksRead()
    {
        const std::vector<AnnouncedRoute> routes{route("openai", "openai"),
                                                 route("anthropic", "anthropic"),
                                                 route("gemini", "gemini"),
                                                 route("ollama", "ollama")};
        const Texts own{"PATH=/bin", "EMPTY=", "ODD", "NO_PROXY=example.com"};
        const auto variables = childEnvironment(own, {}, routes, "ghk_x", "python3");
        const std::string at = "=http://127.0.0.1:4283/";
        const Texts expected{"PATH=/bin",
                             "EMPTY=",
                             "ODD",
                             "NO_PROXY=example.com,127.0.0.1",
                             "no_proxy=127.0.0.1",
                             "GATEHOUSE_KEY=ghk_x",
                             "OPENAI_BASE_URL" + at + "openai",
                             "OPENAI_API_BASE" + at + "openai",
                             "OPENAI_API_KEY=ghk_x",
                             "CODEX_API_KEY=ghk_x",
                             "ANTHROPIC_BASE_URL" + at + "anthropic",
                             "ANTHROPIC_API_KEY=ghk_x",
                             "GOOGLE_GEMINI_BASE_URL" + at + "gemini",
                             "GEMINI_API_KEY=ghk_x",
                             "OLLAMA_HOST" + at + "ollama",
                             "OLLAMA_API_KEY=ghk_x"};
        QVERIFY(variables == expected);
    }

    void environment_claude_getsATokenAlone()
    {
        const std::vector<AnnouncedRoute> routes{route("anthropic", "anthropic")};
        const Texts own{"ANTHROPIC_API_KEY=sk-real"};
        const auto variables = childEnvironment(own, {}, routes, "ghk_x", "claude");
        QVERIFY(std::ranges::find(variables, "ANTHROPIC_AUTH_TOKEN=ghk_x") != variables.end());
        for (const std::string &variable : variables)
            QVERIFY(!variable.starts_with("ANTHROPIC_API_KEY="));
    }

    void environment_realKeysAndDetours_areTakenOut()
    {
        const Texts own{"OPENAI_API_KEY=sk-1",
                        "GROQ_API_KEY=gsk-2",
                        "MY_PROVIDER=sk-3",
                        "GOOGLE_API_KEY=AIza4",
                        "CLAUDE_CODE_USE_BEDROCK=1",
                        "GOOGLE_GENAI_USE_VERTEXAI=true",
                        "OPENAI_BASE_URL=https://elsewhere",
                        "OPENAI_API_KEYS=mine"};
        const std::vector<AnnouncedRoute> routes{route("openai", "openai")};
        const auto variables = childEnvironment(own, {"MY_PROVIDER"}, routes, "ghk_x", "sh");
        const Texts kept(variables.begin(), variables.begin() + 3);
        QVERIFY(
            (kept == Texts{"OPENAI_API_KEYS=mine", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}));
        for (const std::string &variable : variables) {
            for (const char *secret : {"sk-1", "gsk-2", "sk-3", "AIza4", "elsewhere"})
                QVERIFY(variable.find(secret) == std::string::npos);
        }
    }

    void environment_ipv6_exceptsItsHostFromProxies()
    {
        const AnnouncedRoute ipv6{
            "o", "openai", "http://[::1]:4283/o", "http://[::1]:4283/o", false};
        const auto variables
            = childEnvironment(Texts{"no_proxy="}, {}, std::span(&ipv6, 1), "ghk_x", "sh");
        QVERIFY(variables.front() == "no_proxy=[::1]");
    }

    void secretVariables_ofAConfiguration_areAllThatItNames()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "one", "{credential: 'env:ONE_KEY'}")
                      + document("Policy", "p", "{config: {users: [{password: 'env:TWO'}]}}"));
        dir.write("more/b.yaml", "{a: 'see env:NOT_THIS', b: [env:THREE], c: $NOT_THIS}\n");
        dir.write("flex.yaml",
                  "apiVersion: gateway.mulesoft.com/v1alpha1\n"
                  "spec: {secret: $FOUR, text: 'a$FIVE-$HOME$${SIX}', pattern: '^x$'}\n");
        dir.write("broken.yaml", "{\n");
        const auto found = secretVariables(dir.config());
        const std::set<std::string, std::less<>> expected{
            "ONE_KEY", "TWO", "THREE", "FOUR", "FIVE", "SIX"};
        QVERIFY(found == expected);
        QVERIFY(secretVariables("/no/such").empty());
    }
};

QTEST_GUILESS_MAIN(TestExecEnvironment)
#include "tst_execenvironment.moc"
