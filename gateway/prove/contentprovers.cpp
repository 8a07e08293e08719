// SPDX-License-Identifier: GPL-3.0-or-later
// Provers of the types that look at what is asked, or change it.
#include "gateway/base/text.h"
#include "gateway/match/glob.h"
#include "gateway/prove/provers.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::string_view otherModel = "gatehouse-prove-model";

/// What people name in such lists, below /v1.
constexpr auto wellKnown = std::to_array<std::string_view>({"/chat/completions",
                                                            "/completions",
                                                            "/responses",
                                                            "/embeddings",
                                                            "/files",
                                                            "/batches",
                                                            "/models",
                                                            "/fine_tuning/jobs",
                                                            "/images/generations",
                                                            "/audio/speech",
                                                            "/messages",
                                                            "/messages/batches"});

/// \a path in small letters, without the version that it begins with.
std::string looselyNamed(std::string_view path)
{
    for (const std::string_view version : {"/v1beta", "/v1alpha", "/v1"}) {
        if (path.starts_with(version) && path.substr(version.size()).starts_with('/')) {
            path.remove_prefix(version.size());
            break;
        }
    }
    return toLowerAscii(path);
}

/// Endpoints that \a glob is about when version and case are left aside.
std::vector<std::string> meantBy(const Trial &trial, const std::string &glob)
{
    const auto loose = Glob::parse(looselyNamed(glob), Glob::Kind::Path);
    if (!loose)
        return {};
    std::vector<std::string> paths;
    std::vector<std::string> versions; // that the endpoints of the route begin with
    for (const Probe &probe : trial.everywhere(trial.model())) {
        const std::size_t size = probe.path.size() - looselyNamed(probe.path).size();
        paths.push_back(probe.path);
        versions.push_back(probe.path.substr(0, size));
    }
    versions.pop_back(); // of the endpoint that nobody knows
    if (trial.route().dialectName != "gemini") {
        for (const std::string_view known : wellKnown)
            paths.push_back(versions.front() + std::string(known));
    }
    std::erase_if(paths,
                  [&](const std::string &path) { return !loose->matches(looselyNamed(path)); });
    return paths;
}

void proveEndpointAccess(Trial &trial)
{
    const ConfigReader &config = trial.config();
    const auto attack = [&trial](const std::string &path, const std::vector<std::string> &methods) {
        for (const std::string &method : methods) {
            Probe probe = trial.good();
            probe.method = method;
            probe.path = path;
            probe.what = method + " " + path;
            probe.isOfMethod = true;
            if (method == "GET" || method == "HEAD")
                probe.body.clear();
            trial.mustStopHowever(probe);
        }
    };
    const std::vector<std::string> anyMethod{"POST", "GET", "PUT", "DELETE"};
    for (const ConfigReader &entry : config.records("deny")) {
        std::vector<std::string> methods;
        const std::string text = entry.text("methods");
        for (std::size_t from = 0; from < text.size();) {
            const std::size_t end = std::min(text.find('|', from), text.size());
            methods.push_back(text.substr(from, end - from));
            from = end + 1;
        }
        const std::string path = entry.text("path");
        attack(exampleOf(path), methods.empty() ? anyMethod : methods);
        for (const std::string &meant : meantBy(trial, path))
            attack(meant, methods.empty() ? anyMethod : methods);
    }
    if (config.has("allow"))
        attack("/gatehouse-prove/unknown", anyMethod);
}

/// Requests for \a model wherever they can name one.
void attackModel(Trial &trial, const std::string &model)
{
    for (const Probe &probe : trial.everywhere(model))
        trial.mustStopHowever(probe);
    if (trial.route().dialectName == "gemini")
        return; // its models stand in the path
    Probe probe = trial.everywhere(model).front();
    const std::string quoted = '"' + model + '"';
    probe.what = "the model named twice";
    probe.body = "{\"model\":\"" + trial.model() + "\",\"model\":" + quoted + "}";
    trial.mustStop(probe);
    probe.what = "the model's name with an escape";
    probe.body = "{\"model\":\"\\u00" + std::string(1, "0123456789abcdef"[model[0] / 16])
                 + "0123456789abcdef"[model[0] % 16] + model.substr(1) + "\"}";
    trial.mustStop(probe);
    probe.what = "the model in a form";
    probe.body
        = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model + "\r\n--b--\r\n";
    probe.headers = {{"Content-Type", "multipart/form-data; boundary=b"}};
    trial.mustStop(probe);
    probe.what = "no model";
    probe.headers.clear();
    probe.body = R"({"messages":[]})";
    trial.mustStop(probe);
}

void proveModelAccess(Trial &trial)
{
    const std::vector<std::string> allow = trial.config().texts("allow");
    const std::vector<std::string> deny = trial.config().texts("deny");
    if (std::ranges::find(allow, "*") != allow.end())
        trial.notProven("allow has *, which lets every model pass");
    else if (!allow.empty())
        attackModel(trial, std::string(otherModel));
    for (const std::string &glob : deny)
        attackModel(trial, exampleOf(glob));
    if (allow.empty() && deny.empty())
        trial.notProven("it names no model");
}

void proveJsonThreat(Trial &trial)
{
    const ConfigReader &config = trial.config();
    const auto attack = [&trial](std::string what, const std::string &member) {
        for (Probe probe : trial.everywhere(trial.model())) {
            probe.what = probe.path + ": " + what;
            probe.body.insert(1, "\"gatehouse\":" + member + ",");
            trial.mustStopHowever(probe);
        }
    };
    constexpr std::int64_t tooMuch = 1'000'000;
    const auto repeated = [](std::string_view text, std::int64_t times) {
        std::string all;
        for (std::int64_t i = 0; i < times; ++i)
            all += text;
        return all;
    };
    if (const std::int64_t depth = config.number("maxDepth", 64); depth < tooMuch)
        attack("nested too deep", repeated("[", depth + 1) + repeated("]", depth + 1));
    if (const std::int64_t length = config.number("maxNameLength", 1024); length < tooMuch)
        attack("a name too long",
               "{\"" + std::string(static_cast<std::size_t>(length + 1), 'x') + "\":1}");
    if (const std::int64_t elements = config.number("maxElements", 100'000); elements < tooMuch)
        attack("too many elements", "[" + repeated("1,", elements) + "1]");
}

void proveRequestSize(Trial &trial)
{
    const auto size = parseSize(trial.config().text("max", "32MiB"));
    if (!size)
        return;
    for (Probe probe : trial.everywhere(trial.model())) {
        probe.what = probe.path + ": one byte too many";
        probe.announcedLength = size->bytes + 1;
        trial.mustStopHowever(probe);
        if (size->bytes > (std::uint64_t{16} << 20))
            continue;
        probe.announcedLength.reset();
        probe.isChunked = true;
        probe.what = probe.path + ": one byte too many, chunked";
        probe.body.resize(size->bytes + 1, ' ');
        trial.mustStop(probe);
    }
}

void proveHeaderInjection(Trial &trial)
{
    const std::vector<ConfigReader> fields = trial.config().records("request");
    if (fields.empty())
        trial.notProven("it changes answers only, which no probe gets");
    for (const ConfigReader &field : fields) {
        const std::string name = field.text("name");
        const std::string value = field.text("value");
        const bool isFixed = value.find("#[") == std::string::npos;
        for (Probe probe : trial.everywhere(trial.model())) {
            const auto isThere = [&](const Exchange &exchange) {
                const auto found = exchange.header(name);
                return found && (!isFixed || *found == value);
            };
            trial.mustChange(probe, isThere);
            if (trial.config().text("existing", "replace") != "replace")
                continue;
            probe.headers.emplace_back(name, "gatehouse-prove");
            probe.what += " with a field of that name";
            trial.mustChange(probe, isThere);
        }
    }
}

void proveHeaderRemoval(Trial &trial)
{
    const std::vector<std::string> names = trial.config().texts("request");
    if (names.empty())
        trial.notProven("it changes answers only, which no probe gets");
    for (const std::string &pattern : names) {
        const std::string name = exampleOf(pattern);
        for (Probe probe : trial.everywhere(trial.model())) {
            for (const std::string &spelling : {name, toLowerAscii(name)}) {
                probe.headers = {{spelling, "gatehouse-prove"}};
                probe.what = probe.path + " with " + spelling;
                trial.mustChange(probe, [&name](const Exchange &exchange) {
                    return !exchange.header(name).has_value();
                });
            }
        }
    }
}

void proveMockResponse(Trial &trial)
{
    for (const Probe &probe : trial.everywhere(trial.model()))
        trial.mustStopHowever(probe);
}

void proveFaultInjection(Trial &trial)
{
    trial.notProven("it breaks answers on purpose; take it out when the trial is over");
}

} // namespace

std::string exampleOf(std::string_view glob)
{
    std::string text;
    for (const char c : glob) {
        if (c != '*' && c != '?')
            text += c;
        else if (!text.ends_with("x1"))
            text += "x1";
    }
    return text;
}

Prover contentProver(std::string_view type)
{
    static constexpr auto rows = std::to_array<std::pair<std::string_view, Prover>>(
        {{"endpoint-access", &proveEndpointAccess},
         {"model-access", &proveModelAccess},
         {"json-threat", &proveJsonThreat},
         {"request-size", &proveRequestSize},
         {"header-injection", &proveHeaderInjection},
         {"header-removal", &proveHeaderRemoval},
         {"mock-response", &proveMockResponse},
         {"fault-injection", &proveFaultInjection}});
    const auto *row = std::ranges::find(rows, type, &std::pair<std::string_view, Prover>::first);
    return row == rows.end() ? nullptr : row->second;
}

Prover findProver(std::string_view type)
{
    if (const Prover prover = accessProver(type))
        return prover;
    if (const Prover prover = contentProver(type))
        return prover;
    return quotaProver(type);
}

} // namespace gatehouse
