// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/file.h"

#include "gateway/base/units.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace gatehouse {

namespace {

Unexpected<Error> refusal(const std::filesystem::path &path, const std::string &why)
{
    return Unexpected(Error{ErrorCode::SystemFailure, path.string() + " " + why});
}

} // namespace

Result<std::string> readFile(const std::filesystem::path &path, std::size_t limit)
{
    std::error_code problem;
    const auto status = std::filesystem::status(path, problem);
    if (status.type() == std::filesystem::file_type::not_found)
        return refusal(path, "does not exist");
    if (problem)
        return refusal(path, "cannot be read: " + problem.message());
    if (!std::filesystem::is_regular_file(status))
        return refusal(path, "is not a file");
    const auto size = std::filesystem::file_size(path, problem);
    if (!problem && size > limit)
        return refusal(path, "is larger than " + formatSize(ByteSize{limit}));

    std::ifstream file;
    file.rdbuf()->pubsetbuf(nullptr, 0);
    errno = 0;
    file.open(path, std::ios::binary);
    if (!file)
        return refusal(
            path, "cannot be read: " + std::error_code(errno, std::generic_category()).message());
    // One more than it should have: a file may grow while it is read.
    std::string bytes(std::min<std::uintmax_t>(size, limit) + 1, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (file.bad())
        return refusal(path, "cannot be read to its end");
    if (!file.eof())
        return refusal(path, "changed while it was read");
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

bool isReadableByOthers(const std::filesystem::path &path)
{
    using std::filesystem::perms;
    std::error_code problem;
    const auto mode = std::filesystem::status(path, problem).permissions();
    return !problem && (mode & (perms::group_read | perms::others_read)) != perms::none;
}

} // namespace gatehouse
