// pawl_program.hpp: process code in C++17. Include pawl.hpp, which says how its rules differ from those in C. Must
// never throw through a frame of the host, and never let a run go on that the host has ended.
#ifndef PAWL_PROGRAM_HPP
#define PAWL_PROGRAM_HPP

#include "pawl_edge.hpp"
#include "pawl_process.h"
#include "pawl_session.h"

#include <cxxabi.h>
#include <new>
#include <vector>

#if defined(_LIBCPP_VERSION)
namespace __cxxabiv1
{
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals *__cxa_get_globals();
} // namespace __cxxabiv1
#endif

namespace pawl
{

namespace detail
{

struct leave {
}; // thrown where a run ends in the middle of the program

// A program that waits may be kept on a stack of its own while others run on the same thread. The runtime's list of
// exceptions being handled belongs to a thread, so it is put aside around every call that may switch stacks.
class own_exceptions
{
  public:
    own_exceptions() noexcept : kept_(list())
    {
        list() = layout();
    }
    ~own_exceptions()
    {
        list() = kept_;
    }
    own_exceptions(const own_exceptions &) = delete;
    own_exceptions &operator=(const own_exceptions &) = delete;

  private:
    struct layout { // what libstdc++ and libc++abi have there, fixed by the C++ ABI
        void *caught = nullptr;
        unsigned int uncaught = 0;
    };
    static layout &list() noexcept
    {
        return *reinterpret_cast<layout *>(abi::__cxa_get_globals());
    }
    layout kept_;
};

inline uint64_t nanoseconds(duration span) noexcept
{
    return span.count() < 0 ? 0 : static_cast<uint64_t>(span.count());
}

} // namespace detail

// ---- process code --------------------------------------------------------------------------------------------------

/// Something that will be there later; a number that is the same in every run.
class future
{
  public:
    future() noexcept = default;
    explicit future(pawl_future raw) noexcept : raw_(raw)
    {
    }
    pawl_future raw() const noexcept
    {
        return raw_;
    }

  private:
    pawl_future raw_ = 0;
};

/// 0 leaves it to the manifest and the profile.
struct call_options {
    uint32_t attempts = 0;
    duration timeout = duration::zero();  ///< of one attempt
    duration deadline = duration::zero(); ///< of all attempts together
};

struct child_options {
    std::string_view id;      ///< empty: made from the parent's
    std::string_view session; ///< empty: the parent's
    bool no_session = false;
    bool detached = false; ///< its future comes when it is durably started, not when it ends
    uint32_t parent_close = PAWL_PARENT_CLOSE_CANCEL;
    duration deadline = duration::zero(); ///< from its start; it is asked to stop then. Zero: none
    uint32_t priority = 0;                ///< PAWL_PRIORITY_*; 0: the parent's
    std::string_view key;                 ///< empty: the parent's, if it was given one
};

struct session_value {
    std::optional<std::string_view> value; ///< none: the key is not there
    uint64_t revision = 0;                 ///< of the session
};

class process;

/// A request from outside that this process answers once.
class update
{
  public:
    std::string_view payload() const noexcept
    {
        return payload_;
    }
    inline void reply(std::string_view value);
    inline void reject(const std::string &code, const std::string &message);

  private:
    friend class process;
    update(process *owner, future which, std::string_view payload) : owner_(owner), which_(which), payload_(payload)
    {
    }
    process *owner_;
    future which_;
    std::string_view payload_;
};

/// The process that a program is run for. Every function is [instance], inside the program.
class process
{
  public:
    explicit process(pawl_process *raw) noexcept : raw_(raw)
    {
    }
    process(const process &) = delete;
    process &operator=(const process &) = delete;

    // Facts.
    std::string_view input()
    {
        return view(pawl_input(raw_));
    }
    std::string_view id()
    {
        return view(pawl_id(raw_));
    }
    std::string_view session()
    {
        return view(pawl_session_of(raw_));
    }
    uint32_t run_number()
    {
        return pawl_run_number(raw_);
    }
    bool replaying()
    {
        return pawl_replaying(raw_) != 0;
    } ///< only for logging
    std::string_view cancel_reason()
    {
        return view(pawl_cancel_reason(raw_));
    }
    uint64_t journal_bytes()
    {
        return pawl_journal_bytes(raw_);
    }
    bool should_continue()
    {
        return pawl_should_continue(raw_) != 0;
    }

    // The world, recorded.
    time_point now()
    {
        return time_point(duration(static_cast<int64_t>(pawl_now(raw_))));
    }
    void random(void *data, size_t size)
    {
        pawl_random(raw_, data, size);
    }
    std::string uuid()
    {
        char text[37] = "";
        pawl_uuid(raw_, text);
        return text;
    }
    /// Which version of a change of this program the process lives by (docs/process-code.md).
    uint32_t version(const char *change_id, uint32_t min, uint32_t max)
    {
        return pawl_version(raw_, change_id, min, max);
    }

    // Starting.
    future start_call(const char *name, std::string_view input, const call_options &options = {})
    {
        pawl_call_options raw = pawl_options(options.attempts, detail::nanoseconds(options.timeout));
        raw.deadline_ns = detail::nanoseconds(options.deadline);
        return future(pawl_start_call_with(raw_, name, bytes(input), &raw));
    }
    future start_timer(duration span)
    {
        return future(pawl_start_timer(raw_, detail::nanoseconds(span)));
    }
    future wait_signal(const char *name)
    {
        return future(pawl_wait_signal(raw_, name));
    }
    future wait_update(const char *name)
    {
        return future(pawl_wait_update(raw_, name));
    }
    future start_child(const char *type, std::string_view input, const child_options &options = {})
    {
        pawl_child_options raw = pawl_child_defaults();
        raw.flags = (options.detached ? PAWL_CHILD_DETACHED : 0u) | (options.no_session ? PAWL_CHILD_NO_SESSION : 0u);
        raw.id = bytes(options.id);
        raw.session = bytes(options.session);
        raw.parent_close = options.parent_close;
        raw.deadline_ns = detail::nanoseconds(options.deadline);
        raw.priority = options.priority;
        raw.key = bytes(options.key);
        return future(pawl_start_child_with(raw_, type, bytes(input), &raw));
    }
    std::string_view child_id(future child)
    {
        pawl_bytes id = {"", 0};
        use(pawl_child_id, child.raw(), &id);
        return view(id);
    }

    // Awaiting.
    void await(future one)
    {
        use(pawl_await, one.raw());
    }
    /// The position of the one that came first.
    size_t await_any(const std::vector<future> &futures)
    {
        std::vector<pawl_future> list = raw_list(futures);
        int index = 0;
        use(pawl_await_any_of, &index, list.data(), list.size());
        return static_cast<size_t>(index);
    }
    void await_all(const std::vector<future> &futures)
    {
        std::vector<pawl_future> list = raw_list(futures);
        use(pawl_await_all_of, list.data(), list.size());
    }
    /// The value of a future that an await has given; throws its failure.
    std::string_view result(future came)
    {
        pawl_bytes value = {"", 0};
        pawl_status status = pawl_result(raw_, came.raw(), &value);
        if (status == PAWL_E_FAILED)
            if (std::optional<failure> why = failure_of(came))
                throw *why;
        check(status);
        return view(value);
    }
    /// Why a future that an await has given failed; none when it did not.
    std::optional<failure> failure_of(future came)
    {
        pawl_failure raw = pawl_failure_of(PAWL_TERMINAL, "", "", 0);
        pawl_status status = pawl_result_failure(raw_, came.raw(), &raw);
        if (status == PAWL_E_NOT_FOUND)
            return std::nullopt;
        check(status);
        return failure(raw);
    }

    // Start, await and result in one.
    std::string_view call(const char *name, std::string_view input, const call_options &options = {})
    {
        return outcome_of(start_call(name, input, options));
    }
    std::string_view child(const char *type, std::string_view input, const child_options &options = {})
    {
        return outcome_of(start_child(type, input, options));
    }
    void sleep(duration span)
    {
        await(start_timer(span));
    }
    /// Not at all when that moment of the wall clock is past; the clock is read for it, which is recorded.
    void sleep_until(time_point moment)
    {
        use(pawl_sleep_until, detail::nanoseconds(moment.time_since_epoch()));
    }
    std::string_view signal(const char *name)
    {
        return outcome_of(wait_signal(name));
    }
    /// None when no signal came in time.
    std::optional<std::string_view> signal_within(const char *name, duration span)
    {
        future wait = wait_signal(name), late = start_timer(span);
        if (await_any({wait, late}) == 1)
            return std::nullopt;
        return result(wait);
    }
    update next_update(const char *name)
    {
        future which = wait_update(name);
        return {this, which, outcome_of(which)};
    }

    // Compensation.
    void on_rollback(const char *effect, std::string_view input)
    {
        use(pawl_on_rollback, effect, bytes(input));
    }
    /// Only if that call happens.
    void on_rollback_of(future call, const char *effect, std::string_view input)
    {
        use(pawl_on_rollback_of, call.raw(), effect, bytes(input));
    }

    // What others see.
    void set_status(std::string_view document_json)
    {
        use(pawl_set_status, bytes(document_json));
    }
    void set_attributes(std::string_view object_json)
    {
        use(pawl_set_attributes, bytes(object_json));
    }
    void log(uint32_t level, const std::string &message, std::string_view fields_json = {})
    {
        pawl_log_fields(raw_, level, message.c_str(), bytes(fields_json));
    }

    // The state of the session (pawl_session.h has the rest: p.use(pawl_session_scan, ...)).
    session_value session_get(const char *key)
    {
        pawl_bytes value = {"", 0};
        session_value found;
        pawl_status status = apart([&] { return pawl_session_get(raw_, key, &value, &found.revision); });
        if (status != PAWL_E_NOT_FOUND) {
            check(status);
            found.value = view(value);
        }
        return found;
    }
    /// The new revision; none when somebody was faster and nothing was changed.
    std::optional<uint64_t> session_put(uint64_t expected_revision, const char *key, std::string_view value)
    {
        uint64_t revision = 0;
        pawl_status status =
            apart([&] { return pawl_session_put(raw_, expected_revision, key, bytes(value), &revision); });
        if (status == PAWL_E_STALE)
            return std::nullopt;
        check(status);
        return revision;
    }

    /// End this run and go on as the next one, with this input.
    [[noreturn]] void continue_as_new(std::string_view input)
    {
        end(pawl_continue_as_new(raw_, bytes(input)));
        throw detail::leave();
    }

    /// Any function of the C headers that returns a status: p.use(pawl_emit, "paid", nullptr, body, nullptr).
    template <class Function, class... Arguments> void use(Function function, Arguments... arguments)
    {
        check(apart([&] { return function(raw_, arguments...); }));
    }
    pawl_process *raw() const noexcept
    {
        return raw_;
    }

    // For what runs a program.
    pawl_status completed(std::string_view output) noexcept
    {
        return over_ ? *over_ : pawl_complete(raw_, bytes(output));
    }
    pawl_status thrown() noexcept // inside a catch block
    {
        if (over_)
            return *over_;
        try {
            throw;
        } catch (const detail::leave &) {
            return PAWL_SUSPEND;
        } catch (const cancelled &) {
            return PAWL_E_CANCELLED;
        } catch (const failure &why) {
            pawl_failure raw = why.raw();
            return pawl_fail_as(raw_, &raw);
        } catch (const status_error &why) {
            return why.status();
        } catch (const std::bad_alloc &) {
            (void)pawl_alloc(raw_, SIZE_MAX / 2); // more than there is: the host parks the process
            return PAWL_E_NOMEM;
        } catch (const std::exception &what) {
            return pawl_fail(raw_, "process.exception", what.what());
        } catch (...) {
            return pawl_fail(raw_, "process.exception", "the program threw something that is no std::exception");
        }
    }

  private:
    template <class Body> static pawl_status apart(Body body)
    {
        detail::own_exceptions kept;
        return body();
    }
    void end(pawl_status status) noexcept
    {
        if (!over_)
            over_ = status;
    }
    void check(pawl_status status)
    {
        if (status == PAWL_OK)
            return;
        if (status == PAWL_SUSPEND) {
            end(status);
            throw detail::leave();
        }
        if (status == PAWL_E_CANCELLED)
            throw cancelled();
        throw status_error(status);
    }
    std::string_view outcome_of(future started)
    {
        await(started);
        return result(started);
    }
    static std::vector<pawl_future> raw_list(const std::vector<future> &futures)
    {
        std::vector<pawl_future> list;
        list.reserve(futures.size());
        for (future one : futures)
            list.push_back(one.raw());
        return list;
    }
    pawl_process *raw_;
    std::optional<pawl_status> over_; // the run has ended so, whatever the program does from here on
};

inline void update::reply(std::string_view value)
{
    owner_->use(pawl_reply, which_.raw(), bytes(value));
}

inline void update::reject(const std::string &code, const std::string &message)
{
    owner_->use(pawl_reject, which_.raw(), code.c_str(), message.c_str());
}

/// A program as pawl_process_type wants it. Program takes a process & and returns what can be seen as a
/// std::string_view, its output, or void.
template <auto Program> pawl_status program(pawl_process *p) noexcept
{
    process self(p);
    try {
        if constexpr (std::is_void_v<decltype(Program(self))>) {
            Program(self);
            return self.completed({});
        } else {
            const auto output = Program(self);
            return self.completed(std::string_view(output));
        }
    } catch (...) {
        return self.thrown();
    }
}

/// "pawl.process/1" over an array of pawl_process_type.
template <const auto &Types> struct processes {
    static constexpr const char *id = PAWL_FACTORY_PROCESS;
    static pawl_status PAWL_CALL activate(pawl_process *p, pawl_bytes type, uint32_t revision) noexcept
    {
        return pawl_dispatch(p, type, revision, Types, sizeof(Types) / sizeof(*Types));
    }
    static constexpr pawl_process_table table = {sizeof(pawl_process_table), 0, activate};
};

} // namespace pawl

#endif // PAWL_PROGRAM_HPP
