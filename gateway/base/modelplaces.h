// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// Where a dialect's requests may name a model, beside what is called a model wherever it stands: the
/// members of a JSON body, fields of a form and parameters of the query whose names end so (`model`,
/// `models`, `baseModel`, `model_id`). Filled by a dialect, read by the pipeline.
///
/// Pointers are written as json/pointer.h takes them; names in them are compared as lenient readers do, in
/// any case, without `_` and `-`. Paths are those below the route's base path, percent-decoded, without
/// the query. A null function says no to all.
struct ModelPlaces
{
    /// Where a body holds texts, arguments and schemas, which the provider does not act upon: no
    /// model is looked for there. "/messages/*/content/*/input".
    std::span<const std::string_view> content = {};
    /// Models of a body under other names: "/name". Also what parts of a form may hold as JSON:
    /// "/session/model".
    std::span<const std::string_view> pointers = {};
    /// A text here stands for models that are not said in the request: "/preset". So does one in a list, and
    /// an object but where places within it are known; in others models are looked for as everywhere.
    std::span<const std::string_view> hidden = {};
    /// Types of tools that use a model of their own, one of the provider's choice where they name none:
    /// "image_generation".
    std::span<const std::string_view> tools = {};
    /// More parameters of the query: "deployment".
    std::span<const std::string_view> parameters = {};
    /// Fields of the head, in lower case.
    std::span<const std::string_view> headers = {};
    /// The models that the path names: "gemini-x" of "/v1beta/models/gemini-x:generateContent".
    /// \a isReading: GET or HEAD, which may show a model's card and use no model.
    std::vector<std::string_view> (*inPath)(std::string_view path, bool isReading) = nullptr;
    /// Other names that the provider takes for the same model: "gemini-x" for "models/gemini-x".
    std::vector<std::string> (*spellings)(std::string_view model) = nullptr;
    /// The provider takes names in any case; spellings() gives them in lower case.
    bool ignoresCase = false;
    /// True where no request to this path uses a model, whatever its body says: files, lists.
    bool (*needsNone)(std::string_view path) = nullptr;
    /// True where requests to this path upload bytes that are stored as they are, whatever is in them.
    bool (*storesBytes)(std::string_view path) = nullptr;
    /// True where requests to this path may be without a model, and then use none.
    bool (*mayNameNone)(std::string_view path) = nullptr;
    /// True where the models are not said in the request: a batch over an uploaded file.
    bool (*hides)(std::string_view path) = nullptr;
    /// True where the model that the URL names is all that is used, whatever the frames of a WebSocket or
    /// a body say that is neither JSON nor a form.
    bool (*fixedByUrl)(std::string_view path) = nullptr;
};

} // namespace gatehouse
