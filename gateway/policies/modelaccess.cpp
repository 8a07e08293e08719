// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/requestedmodels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

/// Longer lists are not told in an answer.
constexpr std::size_t longestList = 200;

std::string globProblem(std::string_view text)
{
    const auto glob = Glob::parse(text, Glob::Kind::Name);
    return glob ? std::string() : glob.error().context;
}

struct Config
{
    std::vector<std::string> allow;
    std::vector<std::string> deny;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::allow>(
                {.key = "allow",
                 .label = "Allowed models",
                 .help = "Names with * and ?, compared with their case: gpt-5*, openai/*, "
                         "tunedModels/x. None: all that are not denied",
                 .max = 1000,
                 .problem = &globProblem}),
            field<&Config::deny>(
                {.key = "deny",
                 .label = "Denied models",
                 .help = "Names likewise; they count before the allowed ones. A list of allowed "
                         "models also holds for those that a provider adds tomorrow",
                 .max = 1000,
                 .problem = &globProblem}),
        });
        return rows;
    }
};

std::vector<Glob> compile(const std::vector<std::string> &texts)
{
    std::vector<Glob> globs;
    for (const std::string &text : texts) {
        if (auto glob = Glob::parse(text, Glob::Kind::Name)) // each was looked at as a field
            globs.push_back(std::move(*glob));
    }
    return globs;
}

std::vector<std::string> inLowerCase(std::vector<std::string> texts)
{
    for (std::string &text : texts)
        text = toLowerAscii(text);
    return texts;
}

/// "; allowed are: gpt-5*, o4-mini", or nothing where that would be long.
std::string allowedText(const std::vector<std::string> &allow)
{
    std::string text;
    for (const std::string &glob : allow)
        text.append(text.empty() ? "; allowed are: " : ", ").append(glob);
    return text.size() > longestList ? std::string() : text;
}

Reply refuse(std::string_view detail, std::string message, int status = 403)
{
    return {.status = status,
            .reason = "model-access:" + std::string(detail),
            .message = std::move(message)};
}

/// Lets requests use the models that are meant for them, wherever they name them.
class ModelAccess final : public Policy
{
public:
    explicit ModelAccess(const Config &config)
        : m_allow(compile(config.allow))
        , m_deny(compile(config.deny))
        , m_denyInLowerCase(compile(inLowerCase(config.deny)))
        , m_allowedText(allowedText(config.allow))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<ModelAccess>(config);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestBody);
    }
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        return !isEmpty() && exchange.route().modelFinder->readsBody(exchange);
    }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        if (isEmpty())
            return Continue{};
        const auto &found = exchange.requestedModels();
        if (!found)
            return refuse("unreadable",
                          "Which model this request uses cannot be told: "
                              + found.error().message(),
                          found.error().info().status);
        for (const RequestedModel &model : found->models) {
            if (isDenied(model, found->ignoresCase))
                return refuse("model", "The model " + inQuotes(model.name) + " is denied here");
            if (!m_allow.empty() && !model.isAmong(m_allow))
                return refuse("model",
                              "The model " + inQuotes(model.name) + " is not allowed here"
                                  + m_allowedText);
        }
        if (found->isHidden)
            return refuse("hidden",
                          "Which models this request uses cannot be seen: "
                              + std::string(found->why));
        if (found->models.empty() && !found->isNeedless)
            return refuse("none",
                          "This request names no model, so that the provider would choose one"
                              + m_allowedText);
        return Continue{};
    }

private:
    [[nodiscard]] bool isEmpty() const { return m_allow.empty() && m_deny.empty(); }
    [[nodiscard]] bool isDenied(const RequestedModel &model, bool ignoresCase) const
    {
        return model.isAmong(m_deny) || (ignoresCase && model.isAmong(m_denyInLowerCase));
    }

    std::vector<Glob> m_allow;
    std::vector<Glob> m_deny;
    std::vector<Glob> m_denyInLowerCase; ///< for providers to which case makes no difference
    std::string m_allowedText;
};

} // namespace

PolicyType modelAccessPolicy()
{
    return describe<Config, ModelAccess>(
        {.id = "model-access",
         .title = "Model access",
         .category = PolicyCategory::Security,
         .summary
         = "Holds requests to the models that are allowed, wherever they name them: in the body, "
           "the path, a form or the query, for tools and fallbacks too. Refuses others with 403, "
           "and "
           "what uses a model without naming it, such as a batch over a file or a WebSocket. "
           "Realtime "
           "sessions pass by the model of their URL; a transcription model that their frames "
           "choose is not "
           "seen",
         .example = "allow: [gpt-5*, text-embedding-3-*]\ndeny: [gpt-5-pro*]\n"});
}

} // namespace gatehouse
