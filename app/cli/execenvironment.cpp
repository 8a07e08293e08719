// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/execenvironment.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/config/loader.h"
#include "gateway/schema/yaml.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace gatehouse {

namespace {

using Names = std::set<std::string, std::less<>>;

/// Variables that would give a child a real key of a vendor.
constexpr auto vendorKeys = std::to_array<std::string_view>({
    "AI_GATEWAY_API_KEY",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_AWS_API_KEY",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "ANTHROPIC_FOUNDRY_AUTH_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_KEY",
    "CEREBRAS_API_KEY",
    "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CODEX_ACCESS_TOKEN",
    "CODEX_API_KEY",
    "COHERE_API_KEY",
    "CO_API_KEY",
    "DASHSCOPE_API_KEY",
    "DEEPSEEK_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GENERATIVE_AI_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
    "HUGGINGFACE_API_KEY",
    "HUGGING_FACE_HUB_TOKEN",
    "MISTRAL_API_KEY",
    "MOONSHOT_API_KEY",
    "NVIDIA_API_KEY",
    "OLLAMA_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY",
    "TOGETHER_API_KEY",
    "VOYAGE_API_KEY",
    "XAI_API_KEY",
    "ZAI_API_KEY",
});

/// Variables that lead a vendor's tools past their base URL, or put fields with keys into requests.
constexpr auto detours = std::to_array<std::string_view>({
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_PROFILE",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
    "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
    "GOOGLE_GENAI_USE_ENTERPRISE",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "OPENAI_CUSTOM_HEADERS",
});

/// What a dialect's SDKs and tools read.
struct DialectVariables
{
    std::string_view dialect;
    std::vector<std::string_view> baseUrls;
    std::vector<std::string_view> keys;
};

const std::vector<DialectVariables> &dialectVariables()
{
    // Where both are set, GOOGLE_API_KEY only makes Google's SDKs warn of it.
    static const std::vector<DialectVariables> table{
        {"openai", {"OPENAI_BASE_URL", "OPENAI_API_BASE"}, {"OPENAI_API_KEY", "CODEX_API_KEY"}},
        {"anthropic", {"ANTHROPIC_BASE_URL"}, {"ANTHROPIC_API_KEY"}},
        {"gemini", {"GOOGLE_GEMINI_BASE_URL"}, {"GEMINI_API_KEY"}},
        {"ollama", {"OLLAMA_HOST"}, {"OLLAMA_API_KEY"}},
    };
    return table;
}

/// Claude Code asks its user about every new ANTHROPIC_API_KEY, and not about a token; Anthropic's SDKs
/// warn where both are set (2.1.330 and 1.12.0).
constexpr std::string_view anthropicKey = "ANTHROPIC_API_KEY";
constexpr std::string_view anthropicToken = "ANTHROPIC_AUTH_TOKEN";

/// Not a vendor's: for what is configured by file and takes its key from a variable (Codex).
constexpr std::string_view ownKey = "GATEHOUSE_KEY";

/// What a MuleSoft document may refer to without a secret in it, and no program does without.
constexpr auto harmless = std::to_array<std::string_view>(
    {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "USER"});

/// Both are read, each by other programs.
constexpr auto proxyExceptions = std::to_array<std::string_view>({"NO_PROXY", "no_proxy"});

bool isListed(std::span<const std::string_view> names, std::string_view name)
{
    return std::ranges::find(names, name) != names.end();
}

/// "127.0.0.1" of "http://127.0.0.1:4283/openai/v1".
std::string_view hostOf(std::string_view url)
{
    url.remove_prefix(std::min(url.find("://") + 3, url.size()));
    const std::size_t end = url.starts_with('[') ? url.find(']') + 1 : url.find_first_of(":/");
    return url.substr(0, end);
}

/// Names in a scalar of the configuration.
void collect(std::string_view text, bool isMuleSoft, Names &names)
{
    if (text.starts_with("env:"))
        names.emplace(text.substr(4));
    if (!isMuleSoft)
        return;
    for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
        const std::size_t begin = at + (text.substr(at).starts_with("${") ? 2 : 1);
        std::size_t end = begin;
        while (end < text.size() && (isAlphanumeric(text[end]) || text[end] == '_'))
            ++end;
        const std::string_view name = text.substr(begin, end - begin);
        if (!isListed(harmless, name))
            names.emplace(name);
    }
}

void collect(const Node &node, bool isMuleSoft, Names &names)
{
    if (node.kind == Node::Kind::Scalar)
        collect(node.text, isMuleSoft, names);
    for (const Node &item : node.items)
        collect(item, isMuleSoft, names);
}

std::string_view nameOf(std::string_view variable)
{
    return variable.substr(0, variable.find('='));
}

/// The variables that lead to the routes.
std::vector<std::string>
variablesFor(std::span<const AnnouncedRoute> routes, std::string_view key, std::string_view command)
{
    std::vector<std::string> variables;
    const auto add = [&variables](std::string_view name, std::string_view value) {
        variables.push_back(std::string(name).append("=").append(value));
    };
    const bool isClaudeCode = command == "claude";
    add(ownKey, key);
    for (const DialectVariables &dialect : dialectVariables()) {
        const auto route = std::ranges::find(routes, dialect.dialect, &AnnouncedRoute::dialect);
        if (route == routes.end())
            continue;
        for (const std::string_view name : dialect.baseUrls)
            add(name, route->baseUrl);
        for (const std::string_view name : dialect.keys)
            add(isClaudeCode && name == anthropicKey ? anthropicToken : name, key);
    }
    return variables;
}

/// The hosts of the routes, with commas between.
std::string hostsOf(std::span<const AnnouncedRoute> routes)
{
    std::set<std::string_view> hosts;
    for (const AnnouncedRoute &route : routes)
        hosts.insert(hostOf(route.baseUrl));
    std::string all;
    for (const std::string_view host : hosts)
        all.append(all.empty() ? "" : ",").append(host);
    return all;
}

} // namespace

Result<std::vector<AnnouncedRoute>, std::string>
chooseRoutes(std::span<const AnnouncedRoute> routes,
             std::span<const std::string> wanted,
             std::span<const std::string> scope)
{
    std::vector<AnnouncedRoute> allowed;
    std::vector<std::string_view> names;
    for (const AnnouncedRoute &route : routes) {
        if (!scope.empty() && std::ranges::find(scope, route.name) == scope.end())
            continue;
        allowed.push_back(route);
        names.push_back(route.name);
    }
    std::vector<AnnouncedRoute> chosen;
    for (const std::string &name : wanted) {
        const auto route = std::ranges::find(allowed, name, &AnnouncedRoute::name);
        if (route == allowed.end())
            return Unexpected("the gateway has no route " + inQuotes(name)
                              + " that this client may use" + didYouMean(name, names));
        const auto other = std::ranges::find(chosen, route->dialect, &AnnouncedRoute::dialect);
        if (other != chosen.end())
            return Unexpected("the routes " + other->name + " and " + name + " are both of dialect "
                              + route->dialect + "; choose one");
        chosen.push_back(*route);
    }
    const auto namesake = [](const AnnouncedRoute &route) { return route.name == route.dialect; };
    std::ranges::stable_sort(allowed, {}, &AnnouncedRoute::name);
    std::stable_partition(allowed.begin(), allowed.end(), namesake);
    for (const AnnouncedRoute &route : allowed) {
        if (std::ranges::find(chosen, route.dialect, &AnnouncedRoute::dialect) == chosen.end())
            chosen.push_back(route);
    }
    return chosen;
}

std::set<std::string, std::less<>> secretVariables(const std::string &configDir)
{
    Names names;
    for (const std::string &file : configFiles(configDir)) {
        const auto text = readFile(std::filesystem::path(configDir) / file, YamlLimits{}.bytes);
        if (!text)
            continue;
        Diagnostics diagnostics;
        for (const Node &document : parseYaml(*text, file, diagnostics)) {
            const Node *api = document.find("apiVersion");
            collect(document, api != nullptr && api->text.starts_with("gateway.mulesoft"), names);
        }
    }
    names.erase(std::string());
    return names;
}

std::vector<std::string> childEnvironment(std::span<const std::string> own,
                                          const std::set<std::string, std::less<>> &secrets,
                                          std::span<const AnnouncedRoute> routes,
                                          std::string_view key,
                                          std::string_view command)
{
    const std::vector<std::string> added = variablesFor(routes, key, command);
    const std::string hosts = hostsOf(routes);
    std::vector<std::string> environment;
    for (const std::string &variable : own) {
        const std::string_view name = nameOf(variable);
        const bool isReplaced = std::ranges::find(added, name, nameOf) != added.end();
        if (isReplaced || secrets.contains(name) || isListed(vendorKeys, name)
            || isListed(detours, name))
            continue;
        environment.push_back(variable);
        // A proxy would be shown the key, and reach its own loopback instead of ours.
        if (isListed(proxyExceptions, name) && !hosts.empty())
            environment.back() += (variable.ends_with('=') ? "" : ",") + hosts;
    }
    for (const std::string_view name : proxyExceptions) {
        const bool isThere = std::ranges::find(environment, name, nameOf) != environment.end();
        if (!isThere && !hosts.empty())
            environment.push_back(std::string(name) + "=" + hosts);
    }
    environment.insert(environment.end(), added.begin(), added.end());
    return environment;
}

} // namespace gatehouse
