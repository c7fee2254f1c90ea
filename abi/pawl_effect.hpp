// pawl_effect.hpp: effects and connectors in C++17. Include pawl.hpp. Must never let an exception out into a frame of
// the host, and never let a call that was taken over be forgotten: whoever holds its completion ends it, at the latest
// by dropping it.
#ifndef PAWL_EFFECT_HPP
#define PAWL_EFFECT_HPP

#include "pawl_edge.hpp"

#include <memory>

namespace pawl
{

// ---- effects and connectors ----------------------------------------------------------------------------------------

/// One attempt of one effect. Borrowed: a copy is good for as long as the call.
class call
{
  public:
    explicit call(const pawl_effect_call *raw, pawl_sink *out = nullptr, pawl_failure_sink *why = nullptr) noexcept
        : raw_(raw), core_(pawl_core_of(raw->host)), out_(out), why_(why)
    {
    }
    std::string_view operation() const noexcept
    {
        return view(raw_->operation);
    }
    std::string_view input() const noexcept
    {
        return view(raw_->input);
    }
    std::string_view idempotency_key() const noexcept
    {
        return view(raw_->idempotency_key);
    }
    std::string_view trace_context() const noexcept
    {
        return view(raw_->trace_context);
    }
    uint32_t attempt() const noexcept
    {
        return raw_->attempt;
    }
    bool should_stop() const noexcept
    {
        return pawl_call_cancelled(core_, raw_) != 0;
    }
    /// For poll only; -1: there is none.
    int cancel_fd() const noexcept
    {
        return raw_->cancel == nullptr ? -1 : core_->cancel_fd(raw_->cancel);
    }
    /// None: there is no deadline.
    std::optional<duration> time_left() const noexcept
    {
        if (raw_->deadline_mono_ns == 0)
            return std::nullopt;
        return duration(static_cast<int64_t>(pawl_call_time_left_ns(core_, raw_)));
    }
    void log(uint32_t level, std::string_view message, std::string_view fields_json = {}) const noexcept
    {
        core_->log(raw_->host, level, bytes(message), bytes(fields_json));
    }
    /// For pawl.attachments/1 and other tables of the host.
    const pawl_effect_call *raw() const noexcept
    {
        return raw_;
    }
    const pawl_core *core() const noexcept
    {
        return core_;
    }
    pawl_sink *out() const noexcept
    {
        return out_;
    } ///< what is written here stands before what is returned
    pawl_failure_sink *why() const noexcept
    {
        return why_;
    }

  private:
    const pawl_effect_call *raw_;
    const pawl_core *core_;
    pawl_sink *out_;
    pawl_failure_sink *why_;
};

/// The end of an asynchronous call. Whoever takes it over (by move) ends the call, on any thread; one that is lost
/// without a word ends it as a failure of unknown outcome.
class completion
{
  public:
    completion(const pawl_core *core, pawl_completion *raw) noexcept : core_(core), raw_(raw)
    {
    }
    completion(completion &&other) noexcept : core_(other.core_), raw_(std::exchange(other.raw_, nullptr))
    {
    }
    completion &operator=(completion &&other) noexcept
    {
        if (this != &other) {
            lose();
            core_ = other.core_;
            raw_ = std::exchange(other.raw_, nullptr);
        }
        return *this;
    }
    ~completion()
    {
        lose();
    }
    explicit operator bool() const noexcept
    {
        return raw_ != nullptr;
    }
    void complete(std::string_view result) noexcept
    {
        if (raw_ != nullptr)
            core_->complete(std::exchange(raw_, nullptr), PAWL_OK, bytes(result), nullptr);
    }
    void fail(const failure &why) noexcept
    {
        const pawl_failure raw = why.raw();
        if (raw_ != nullptr)
            core_->complete(std::exchange(raw_, nullptr), PAWL_E_FAILED, pawl_bytes_of("", 0), &raw);
    }
    pawl_completion *release() noexcept
    {
        return std::exchange(raw_, nullptr);
    }

  private:
    void lose() noexcept
    {
        if (raw_ != nullptr)
            pawl_completed_failed(core_, std::exchange(raw_, nullptr), PAWL_UNKNOWN_OUTCOME, "effect.dropped",
                                  "the plugin dropped the call without ending it");
    }
    const pawl_core *core_;
    pawl_completion *raw_;
};

namespace detail
{

inline pawl_status write(const call &attempt, std::string_view text)
{
    return attempt.core()->sink_write(attempt.out(), text.data(), text.size());
}

template <class Execute>
pawl_status execute(const pawl_effect_call *raw, pawl_sink *out, pawl_failure_sink *why, Execute body) noexcept
{
    const call attempt(raw, out, why);
    return guard(attempt.core(), why, [&] { return write(attempt, body(attempt)); });
}

template <class Reconcile>
pawl_status reconcile(const pawl_effect_call *raw, pawl_sink *out, pawl_failure_sink *why, Reconcile body) noexcept
{
    const call attempt(raw, out, why);
    return guard(attempt.core(), why, [&] {
        const std::optional<std::string> happened = body(attempt);
        return happened ? write(attempt, *happened) : PAWL_E_NOT_FOUND;
    });
}

// What is thrown before the completion was taken over ends the call at once; later it is too late to say anything.
template <class Start>
pawl_status start(const pawl_effect_call *raw, pawl_completion *done, pawl_failure_sink *why, Start body) noexcept
{
    const call attempt(raw, nullptr, why);
    completion end(attempt.core(), done);
    const pawl_status status = guard(attempt.core(), why, [&] {
        try {
            body(attempt, end);
        } catch (...) {
            if (end)
                throw;
        }
        return PAWL_PENDING;
    });
    if (!end)
        return PAWL_PENDING;
    if (status != PAWL_PENDING)
        (void)end.release();
    return status; // PENDING: nobody took it over, and its destructor says so
}

} // namespace detail

/// An effect of a plugin. reconcile gives the result of what happened, or none when it certainly did not; it throws
/// when that cannot be told. start takes the completion over, by move, and returns at once.
struct effect {
    const char *name;
    std::string (*execute)(const call &);
    std::optional<std::string> (*reconcile)(const call &) = nullptr;
    void (*start)(const call &, completion &) = nullptr;
};

/// "pawl.effect/1" over an array of effects.
template <const auto &List> struct effects {
    static constexpr const char *id = PAWL_FACTORY_EFFECT;
    static const effect *find(const pawl_effect_call *raw) noexcept
    {
        for (const effect &one : List)
            if (pawl_is(raw->operation, one.name))
                return &one;
        return nullptr;
    }
    static pawl_status PAWL_CALL execute(const pawl_effect_call *raw, pawl_sink *out, pawl_failure_sink *why) noexcept
    {
        const effect *one = find(raw);
        return one == nullptr || one->execute == nullptr ? PAWL_E_UNSUPPORTED
                                                         : detail::execute(raw, out, why, one->execute);
    }
    static pawl_status PAWL_CALL start(const pawl_effect_call *raw, pawl_completion *done,
                                       pawl_failure_sink *why) noexcept
    {
        const effect *one = find(raw);
        return one == nullptr || one->start == nullptr ? PAWL_E_UNSUPPORTED : detail::start(raw, done, why, one->start);
    }
    static pawl_status PAWL_CALL reconcile(const pawl_effect_call *raw, pawl_sink *out, pawl_failure_sink *why) noexcept
    {
        const effect *one = find(raw);
        return one == nullptr || one->reconcile == nullptr ? PAWL_E_UNSUPPORTED
                                                           : detail::reconcile(raw, out, why, one->reconcile);
    }
    static constexpr pawl_effect_table table = {sizeof(pawl_effect_table), 0, execute, start, reconcile};
};

/// What an instance of a connector is made of. Borrowed for the constructor, but for the host.
struct setup {
    const pawl_host_root *host;
    std::string_view name;        ///< as in the profile
    std::string_view config_json; ///< an object, secrets filled in
};

/// "pawl.connector/1" over a class: Instance(const setup &), std::string invoke(const call &); and, if it has them,
/// std::optional<std::string> reconcile(const call &) and void start(const call &, completion &).
template <class Instance> struct connector {
    static constexpr const char *id = PAWL_FACTORY_CONNECTOR;
    static Instance &self(pawl_connector *instance) noexcept
    {
        return *reinterpret_cast<Instance *>(instance);
    }
    static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                        pawl_connector **instance, pawl_failure_sink *why) noexcept
    {
        return guard(pawl_core_of(host), why, [&] {
            auto made = std::make_unique<Instance>(setup{host, view(name), view(config_json)});
            *instance = reinterpret_cast<pawl_connector *>(made.release());
            return PAWL_OK;
        });
    }
    static void PAWL_CALL destroy(pawl_connector *instance) noexcept
    {
        delete reinterpret_cast<Instance *>(instance);
    }
    static pawl_status PAWL_CALL invoke(pawl_connector *instance, const pawl_effect_call *raw, pawl_sink *out,
                                        pawl_failure_sink *why) noexcept
    {
        return detail::execute(raw, out, why, [&](const call &attempt) { return self(instance).invoke(attempt); });
    }
    template <class T, class = void> struct starts : std::false_type {
    };
    template <class T>
    struct starts<
        T, std::void_t<decltype(std::declval<T &>().start(std::declval<const call &>(), std::declval<completion &>()))>>
        : std::true_type {
    };
    template <class T, class = void> struct reconciles : std::false_type {
    };
    template <class T>
    struct reconciles<T, std::void_t<decltype(std::declval<T &>().reconcile(std::declval<const call &>()))>>
        : std::true_type {
    };
    static pawl_status PAWL_CALL start(pawl_connector *instance, const pawl_effect_call *raw, pawl_completion *done,
                                       pawl_failure_sink *why) noexcept
    {
        if constexpr (starts<Instance>::value)
            return detail::start(raw, done, why,
                                 [&](const call &attempt, completion &end) { self(instance).start(attempt, end); });
        (void)instance, (void)raw, (void)done, (void)why;
        return PAWL_E_UNSUPPORTED;
    }
    static pawl_status PAWL_CALL reconcile(pawl_connector *instance, const pawl_effect_call *raw, pawl_sink *out,
                                           pawl_failure_sink *why) noexcept
    {
        if constexpr (reconciles<Instance>::value)
            return detail::reconcile(raw, out, why,
                                     [&](const call &attempt) { return self(instance).reconcile(attempt); });
        (void)instance, (void)raw, (void)out, (void)why;
        return PAWL_E_UNSUPPORTED;
    }
    static constexpr pawl_connector_table table = {
        sizeof(pawl_connector_table), 0, create, destroy, invoke, start, reconcile};
};

} // namespace pawl

#endif // PAWL_EFFECT_HPP
