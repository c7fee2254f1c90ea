// pawl_edge.hpp: what both halves of pawl.hpp share: views of bytes, failures as exceptions, and the edge at which an
// exception ends. Include pawl.hpp. Must never let an exception out into a frame of the host.
#ifndef PAWL_EDGE_HPP
#define PAWL_EDGE_HPP

#if !defined(__cpp_exceptions)
#error "pawl.hpp needs exceptions; without them use pawl_process.h and pawl_plugin.h"
#endif

#include "pawl_plugin.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pawl
{

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::system_clock, duration>;

inline std::string_view view(pawl_bytes bytes) noexcept
{
    return bytes.size == 0 ? std::string_view() : std::string_view(static_cast<const char *>(bytes.data), bytes.size);
}

inline pawl_bytes bytes(std::string_view text) noexcept
{
    return pawl_bytes_of(text.data(), text.size());
}

/// Text (UTF-8) as a JSON string, quotes included.
inline std::string json_string(std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string json = "\"";
    for (char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x20) {
            json += "\\u00";
            json += digits[code >> 4];
            json += digits[code & 15];
        } else {
            if (letter == '"' || letter == '\\')
                json += '\\';
            json += letter;
        }
    }
    return json += '"';
}

// ---- what goes wrong -----------------------------------------------------------------------------------------------

enum class failure_class : uint32_t {
    terminal = PAWL_TERMINAL,              ///< do not retry; this is the result
    retryable = PAWL_RETRYABLE,            ///< it certainly did not happen, or doing it again is harmless
    unknown_outcome = PAWL_UNKNOWN_OUTCOME ///< it may have happened: the outcome rule of the effect decides
};

/// Why a call or a process fails. Owns its texts. Thrown out of a program or an effect it is how that ends.
class failure : public std::exception
{
  public:
    failure(std::string code, std::string message, failure_class klass = failure_class::terminal)
        : code_(std::move(code)), message_(std::move(message)), klass_(klass)
    {
    }
    explicit failure(const pawl_failure &raw)
        : code_(view(raw.code)), message_(view(raw.message)), detail_(view(raw.detail_json)),
          klass_(static_cast<failure_class>(raw.klass)), retry_after_(static_cast<int64_t>(raw.retry_after_ns))
    {
    }
    /// It may be tried again, not before retry_after has passed (0: as the policy says).
    static failure retryable(std::string code, std::string message, duration retry_after = duration::zero())
    {
        failure made(std::move(code), std::move(message), failure_class::retryable);
        made.retry_after_ = retry_after;
        return made;
    }
    static failure unknown_outcome(std::string code, std::string message)
    {
        return failure(std::move(code), std::move(message), failure_class::unknown_outcome);
    }
    /// With a JSON object for programs.
    failure &with_detail(std::string object_json)
    {
        detail_ = std::move(object_json);
        return *this;
    }
    const char *what() const noexcept override
    {
        return message_.c_str();
    }
    const std::string &code() const noexcept
    {
        return code_;
    }
    const std::string &message() const noexcept
    {
        return message_;
    }
    const std::string &detail_json() const noexcept
    {
        return detail_;
    }
    failure_class klass() const noexcept
    {
        return klass_;
    }
    duration retry_after() const noexcept
    {
        return retry_after_;
    }
    /// Borrows from this object.
    pawl_failure raw() const noexcept
    {
        pawl_failure made = pawl_failure_of(static_cast<uint32_t>(klass_), "", "", 0);
        made.code = bytes(code_);
        made.message = bytes(message_);
        made.detail_json = bytes(detail_);
        made.retry_after_ns = static_cast<uint64_t>(retry_after_.count());
        return made;
    }

  private:
    std::string code_, message_, detail_;
    failure_class klass_;
    duration retry_after_ = duration::zero();
};

/// Another status than success; left alone, it is what the function returns to the host.
class status_error : public std::exception
{
  public:
    explicit status_error(pawl_status status) noexcept : status_(status)
    {
    }
    pawl_status status() const noexcept
    {
        return status_;
    }
    const char *what() const noexcept override
    {
        return "a call of the host did not succeed";
    }

  private:
    pawl_status status_;
};

/// The process was asked to stop; told once. No std::exception.
struct cancelled {
};

/// Run a body at the edge of a table function: what it throws becomes a status and, if it says more, a failure. Of an
/// exception that is no pawl::failure nobody knows what it left behind: class PAWL_UNKNOWN_OUTCOME.
template <class Body> pawl_status guard(const pawl_core *core, pawl_failure_sink *why, Body body) noexcept
{
    try {
        return body();
    } catch (const failure &thrown) {
        const pawl_failure raw = thrown.raw();
        if (core != nullptr && why != nullptr)
            core->fail(why, &raw);
        return PAWL_E_FAILED;
    } catch (const status_error &thrown) {
        return thrown.status();
    } catch (const std::exception &thrown) {
        return pawl_fail_with(core, why, PAWL_UNKNOWN_OUTCOME, "plugin.exception", "%s", thrown.what());
    } catch (...) {
        return pawl_fail_with(core, why, PAWL_UNKNOWN_OUTCOME, "plugin.exception",
                              "something was thrown that is no std::exception");
    }
}

/// A get_factory over any of effects<>, connector<> and processes<>, or a class of yours with an id and a table.
template <class... Interfaces> const void *PAWL_CALL factories(const char *wanted) noexcept
{
    const void *found = nullptr;
    (void)((std::strcmp(wanted, Interfaces::id) == 0 ? (found = &Interfaces::table) != nullptr : false) || ...);
    return found;
}

/// An init that may throw: void body(const pawl_host_root *host, std::string_view config_json).
template <auto Body>
pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why) noexcept
{
    return guard(pawl_core_of(host), why, [&] {
        Body(host, view(config_json));
        return PAWL_OK;
    });
}

} // namespace pawl

#endif // PAWL_EDGE_HPP
