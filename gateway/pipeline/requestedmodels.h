// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/modelplaces.h"
#include "gateway/base/result.h"
#include "gateway/match/glob.h"
#include "gateway/pipeline/bodyplace.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class Exchange;
class ModelSearch;

/// A model that a request asks for.
struct RequestedModel
{
    std::string name; ///< as the request has it; percent-decoded once in a path or query
    std::vector<std::string> spellings = {}; ///< other names of the same model

    /// True where one of its names matches one of the globs.
    [[nodiscard]] bool isAmong(std::span<const Glob> globs) const;
};

struct RequestedModels
{
    /// Each once. Where several stand in one place or another, the request may use any of them.
    std::vector<RequestedModel> models;
    /// It may use a model that is not said where the gateway could see it, or not so that all readers
    /// take it for the same: a WebSocket whose frames name it, a batch of lines in a file that was
    /// uploaded before, a name with white space around it.
    bool isHidden = false;
    /// Where isHidden: what hides it, a phrase for the message, "a batch names its models in a file".
    std::string_view why = {};
    /// Requests of this kind use none, so that none has to be named: lists, files.
    bool isNeedless = false;
    /// The provider takes names in any case; spellings has them in lower case.
    bool ignoresCase = false;
};

/// Finds the models of requests in one dialect. Immutable; any thread.
class ModelFinder
{
public:
    explicit ModelFinder(const ModelPlaces &places);

    /// Looks wherever some reader of the dialect may find a model: body, path, query, field; on all
    /// endpoints alike, known or not. Call it in onRequestBody. The errors of RequestBody and of
    /// http::parseMultipart; BodyNotJson also for a model that is no text, BadRequest for a query that
    /// can be read in two ways.
    [[nodiscard]] Result<RequestedModels> find(Exchange &exchange) const;
    /// False where no request to this path uses a model, whatever its body says: uploads, which need
    /// not be gathered. For Policy::readsBody; find() does not look at the body then.
    [[nodiscard]] bool readsBody(const Exchange &exchange) const;
    /// True where what is sent to this path is stored as it is, so that nobody parses it: files.
    [[nodiscard]] bool storesBytes(const Exchange &exchange) const;

private:
    /// What the head says of how the request is meant.
    struct Intent
    {
        bool isReading = false;    ///< it shows something
        bool makesNothing = false; ///< it shows, lists or deletes
        bool retypesBody = false;  ///< the query says that the body is of another type
    };

    [[nodiscard]] Result<Intent> addFromQuery(const Exchange &exchange, ModelSearch &search) const;
    void addFromPath(const Exchange &exchange, bool isReading, ModelSearch &search) const;
    /// Between the fields of a form; older readers take both.
    enum class Separators : std::uint8_t { Ampersands, SemicolonsToo };
    [[nodiscard]] static std::size_t
    findSeparator(std::string_view text, std::size_t from, Separators separators);
    /// JSON names a model, or more fields than are looked at, for those who read it as a form.
    [[nodiscard]] bool namesModelAsForm(std::string_view text, Separators separators) const;
    [[nodiscard]] Result<void>
    addFromBody(Exchange &exchange, bool isFixedByUrl, ModelSearch &search) const;

    ModelPlaces m_places;
    BodyPlace m_body;
};

} // namespace gatehouse
