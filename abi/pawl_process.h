/* pawl_process.h: the comfortable face of process code. Everything here is an inline function over the host's table
 * "pawl.process-host/1"; nothing of it is ABI and it keeps no state. C99 and later, C++11 and later.
 *
 * A process is a plain function. It is run from the top again and again: whatever its journal already holds is answered
 * at once, and the first thing that is not there yet gives PAWL_SUSPEND, which the function returns unchanged (PAWL_TRY
 * does that). So between two runs nothing of it lives but the journal. docs/process-code.md has the rules.
 *
 *     static pawl_status checkout(pawl_process *p)
 *     {
 *         pawl_bytes hold, receipt;
 *         PAWL_TRY(pawl_call(p, "stock.reserve", pawl_input(p), &hold));
 *         pawl_future pay = pawl_start_call(p, "bank.charge", hold);
 *         pawl_future late = pawl_start_timer(p, 30 * PAWL_SECOND);
 *         int first;
 *         PAWL_TRY(pawl_await_any(p, &first, 2, pay, late));
 *         if (first == 1)
 *             return pawl_fail(p, "checkout.timeout", "the bank did not answer in 30 s");
 *         PAWL_TRY(pawl_result(p, pay, &receipt));
 *         return pawl_complete(p, receipt);
 *     }
 *     PAWL_PROCESS("shop.checkout", 3, checkout)
 *     PAWL_PLUGIN("com.example.shop", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit,
 *                 pawl_process_factory);
 *
 * Every function is [instance], inside activate. Bytes that come out live until activate returns. */
#ifndef PAWL_PROCESS_H
#define PAWL_PROCESS_H

#include "pawl_abi.h"
#include "pawl_plugin.h"

#if defined(__cplusplus) && (defined(__cpp_exceptions) || defined(__EXCEPTIONS))
#include <exception>
#define PAWL_PROCESS_CATCHES_ 1
#endif

#define PAWL_MILLISECOND ((uint64_t)1000000)
#define PAWL_SECOND      ((uint64_t)1000 * PAWL_MILLISECOND)
#define PAWL_MINUTE      ((uint64_t)60 * PAWL_SECOND)
#define PAWL_HOUR        ((uint64_t)60 * PAWL_MINUTE)
#define PAWL_DAY         ((uint64_t)24 * PAWL_HOUR)

/* Return from the process function unless this went well. PAWL_SUSPEND takes this way too, so no code after it may be
 * needed for cleaning up. */
#define PAWL_TRY(expression)                                                                                           \
    do {                                                                                                               \
        const pawl_status pawl_try_ = (expression);                                                                    \
        if (pawl_try_ != PAWL_OK)                                                                                      \
            return pawl_try_;                                                                                          \
    } while (0)

/* ---- bytes and memory ------------------------------------------------------------------------------------------- */

/* The bytes of a NUL-terminated text, without the NUL. (A macro, so that it can stand beside a type of that name.) */
#define pawl_text(text) pawl_bytes_of_text(text)

/* Zeroed memory of this activation; nothing has to free it. NULL when there is no more: the run then ends by itself as
 * stuck, and may be resumed. */
PAWL_INLINE_ void *pawl_alloc(pawl_process *p, size_t size)
{
    return p->host->alloc(p, size);
}

/* The bytes as a NUL-terminated text. NULL when there is no memory. */
PAWL_INLINE_ char *pawl_cstring(pawl_process *p, pawl_bytes bytes)
{
    char *text = (char *)p->host->alloc(p, bytes.size + 1);
    if (text != NULL && bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    return text;
}

PAWL_INLINE_ pawl_bytes pawl_vprintf(pawl_process *p, const char *format, va_list args) PAWL_PRINTF_(2, 0);
PAWL_INLINE_ pawl_bytes pawl_vprintf(pawl_process *p, const char *format, va_list args)
{
    va_list again;
    char *text;
    int size;
    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = size < 0 ? NULL : (char *)p->host->alloc(p, (size_t)size + 1);
    if (text == NULL)
        return pawl_bytes_of("", 0);
    vsnprintf(text, (size_t)size + 1, format, args);
    return pawl_bytes_of(text, (size_t)size);
}

/* Formatted text in this activation's memory; also NUL-terminated, right behind its size. */
PAWL_INLINE_ pawl_bytes pawl_printf(pawl_process *p, const char *format, ...) PAWL_PRINTF_(2, 3);
PAWL_INLINE_ pawl_bytes pawl_printf(pawl_process *p, const char *format, ...)
{
    pawl_bytes bytes;
    va_list args;
    va_start(args, format);
    bytes = pawl_vprintf(p, format, args);
    va_end(args);
    return bytes;
}

/* ---- facts ------------------------------------------------------------------------------------------------------ */

PAWL_INLINE_ pawl_bytes pawl_input(pawl_process *p)
{
    return p->host->input(p);
}

PAWL_INLINE_ pawl_bytes pawl_id(pawl_process *p)
{
    return p->host->id(p);
}

/* Empty when the process belongs to no session. */
PAWL_INLINE_ pawl_bytes pawl_session_of(pawl_process *p)
{
    return p->host->session(p);
}

/* 1 and up. */
PAWL_INLINE_ uint32_t pawl_run_number(pawl_process *p)
{
    return p->host->run(p);
}

/* Non-zero while the code re-lives what the journal holds. Only for what has no effect on the process: logging. */
PAWL_INLINE_ int pawl_replaying(pawl_process *p)
{
    return p->host->replaying(p) != 0;
}

/* Empty until an await has given PAWL_E_CANCELLED, or when no reason was given. */
PAWL_INLINE_ pawl_bytes pawl_cancel_reason(pawl_process *p)
{
    return p->host->cancel_reason(p);
}

/* ---- the world, recorded ---------------------------------------------------------------------------------------- */

/* The clock. Each reading is a record in the journal; take one and keep it. */
PAWL_INLINE_ uint64_t pawl_now(pawl_process *p)
{
    return p->host->now_unix_ns(p);
}

/* The same bytes in every run; not for secrets. */
PAWL_INLINE_ void pawl_random(pawl_process *p, void *data, size_t size)
{
    p->host->random(p, data, size);
}

PAWL_INLINE_ void pawl_uuid(pawl_process *p, char text[37])
{
    p->host->uuid(p, text);
}

/* A change of this program that processes may meet half-way: max for those that meet it first where their journal ends,
 * min for those whose journal is older than the change; recorded, and the same in every run. min and max are the
 * versions that this program still knows:
 *
 *     if (pawl_version(p, "charge-before-packing", 0, 1) >= 1) ... as it is now ... else ... as it was before ...
 *
 * 0 also when it cannot be told; the next await then says why. */
PAWL_INLINE_ uint32_t pawl_version(pawl_process *p, const char *change_id, uint32_t min, uint32_t max)
{
    return p->host->version(p, pawl_bytes_of_text(change_id), min, max);
}

/* ---- starting --------------------------------------------------------------------------------------------------- */
/* A start that cannot be done (bad name, too large, too many open) gives the future 0; awaiting it says why. */

PAWL_INLINE_ pawl_future pawl_start_call_with(pawl_process *p, const char *name, pawl_bytes input,
                                              const pawl_call_options *options)
{
    return p->host->start_call(p, pawl_bytes_of_text(name), input, options);
}

PAWL_INLINE_ pawl_future pawl_start_call(pawl_process *p, const char *name, pawl_bytes input)
{
    return pawl_start_call_with(p, name, input, NULL);
}

PAWL_INLINE_ pawl_future pawl_start_timer(pawl_process *p, uint64_t after_ns)
{
    return p->host->start_timer(p, after_ns);
}

/* A wait for the next signal of this name; it takes one when an await ends with it. */
PAWL_INLINE_ pawl_future pawl_wait_signal(pawl_process *p, const char *name)
{
    return p->host->wait_signal(p, pawl_bytes_of_text(name));
}

/* ---- children --------------------------------------------------------------------------------------------------- */
/* A child is a process of its own, with its own journal, whose parent is this one. It is started once, however often
 * this code is run again. Its future comes when it has ended, with its output; or as failed, with the child's failure
 * (its code, and a detail that names the child and how it ended), when it failed, was cancelled or terminated. */

/* Choices for a child; change what is to be different. */
PAWL_INLINE_ pawl_child_options pawl_child_defaults(void)
{
    pawl_child_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

PAWL_INLINE_ pawl_future pawl_start_child_with(pawl_process *p, const char *type, pawl_bytes input,
                                               const pawl_child_options *options)
{
    return p->host->start_child(p, pawl_bytes_of_text(type), input, options);
}

PAWL_INLINE_ pawl_future pawl_start_child(pawl_process *p, const char *type, pawl_bytes input)
{
    return pawl_start_child_with(p, type, input, NULL);
}

/* Start one that goes on by itself: its future comes, with its id, as soon as it is durably started. It outlives this
 * process. */
PAWL_INLINE_ pawl_future pawl_start_detached(pawl_process *p, const char *type, pawl_bytes input)
{
    pawl_child_options options = pawl_child_defaults();
    options.flags = PAWL_CHILD_DETACHED;
    options.parent_close = PAWL_PARENT_CLOSE_ABANDON;
    return pawl_start_child_with(p, type, input, &options);
}

/* The id of a child, from its future. */
PAWL_INLINE_ pawl_status pawl_child_id(pawl_process *p, pawl_future future, pawl_bytes *id)
{
    return p->host->child_id(p, future, id);
}

/* Options with everything else left to the manifest and the profile. */
PAWL_INLINE_ pawl_call_options pawl_options(uint32_t attempts_max, uint64_t timeout_ns)
{
    pawl_call_options options;
    options.struct_size = sizeof options;
    options.attempts_max = attempts_max;
    options.timeout_ns = timeout_ns;
    options.deadline_ns = 0;
    return options;
}

/* The same, with a limit of time for all attempts together: a call that has not ended by then fails as
 * "effect.deadline". */
PAWL_INLINE_ pawl_call_options pawl_options_within(pawl_call_options options, uint64_t deadline_ns)
{
    options.deadline_ns = deadline_ns;
    return options;
}

/* ---- awaiting --------------------------------------------------------------------------------------------------- */
/* PAWL_OK: it came. PAWL_SUSPEND: return it. PAWL_E_CANCELLED, once: the process was asked to stop. */

PAWL_INLINE_ pawl_status pawl_await(pawl_process *p, pawl_future future)
{
    return p->host->await(p, PAWL_AWAIT_ANY, &future, 1, NULL);
}

/* *index (may be NULL): the position of the one that came first. */
PAWL_INLINE_ pawl_status pawl_await_any_of(pawl_process *p, int *index, const pawl_future *futures, size_t count)
{
    size_t first = 0;
    pawl_status status = p->host->await(p, PAWL_AWAIT_ANY, futures, count, &first);
    if (status == PAWL_OK && index != NULL)
        *index = (int)first;
    return status;
}

PAWL_INLINE_ pawl_status pawl_await_all_of(pawl_process *p, const pawl_future *futures, size_t count)
{
    return p->host->await(p, PAWL_AWAIT_ALL, futures, count, NULL);
}

/* pawl_await_any(p, &index, 2, pay, late) and pawl_await_all(p, 2, left, right): count must be the number of futures
 * that follow, PAWL_E_INVALID otherwise. */
#ifdef __cplusplus
template <typename... Futures>
static inline pawl_status pawl_await_any(pawl_process *p, int *index, size_t count, Futures... futures)
{
    const pawl_future list[] = {futures...};
    return sizeof...(futures) == count ? pawl_await_any_of(p, index, list, count) : PAWL_E_INVALID;
}
template <typename... Futures>
static inline pawl_status pawl_await_all(pawl_process *p, size_t count, Futures... futures)
{
    const pawl_future list[] = {futures...};
    return sizeof...(futures) == count ? pawl_await_all_of(p, list, count) : PAWL_E_INVALID;
}
#else
#define PAWL_FUTURES_(...)      ((const pawl_future[]){__VA_ARGS__})
#define PAWL_FUTURE_COUNT_(...) (sizeof(PAWL_FUTURES_(__VA_ARGS__)) / sizeof(pawl_future))
#define pawl_await_any(p, index, count, ...)                                                                           \
    ((size_t)(count) == PAWL_FUTURE_COUNT_(__VA_ARGS__)                                                                \
         ? pawl_await_any_of((p), (index), PAWL_FUTURES_(__VA_ARGS__), PAWL_FUTURE_COUNT_(__VA_ARGS__))                \
         : PAWL_E_INVALID)
#define pawl_await_all(p, count, ...)                                                                                  \
    ((size_t)(count) == PAWL_FUTURE_COUNT_(__VA_ARGS__)                                                                \
         ? pawl_await_all_of((p), PAWL_FUTURES_(__VA_ARGS__), PAWL_FUTURE_COUNT_(__VA_ARGS__))                         \
         : PAWL_E_INVALID)
#endif

/* ---- compensation ----------------------------------------------------------------------------------------------- */
/* Should this process fail or be cancelled, the host undoes its steps after the program has ended: it calls what was
 * registered here, last step first, one after another, each with its own retries. Nothing of it runs when the process
 * completes. Register right after the step (it is on disk before anything later begins), or, for several calls at once,
 * with the future of each:
 *
 *     PAWL_TRY(pawl_call(p, "stock.reserve", pawl_input(p), &hold));
 *     PAWL_TRY(pawl_on_rollback(p, "stock.release", hold));
 */
PAWL_INLINE_ pawl_status pawl_on_rollback(pawl_process *p, const char *effect, pawl_bytes input)
{
    return p->host->on_rollback(p, 0, pawl_bytes_of_text(effect), input, NULL);
}

/* Only if that call happens: it is undone when it came with success or nobody knows (a failure whose class is
 * PAWL_UNKNOWN_OUTCOME), not when it surely failed. Its place in the order is the end of the call, not of this. */
PAWL_INLINE_ pawl_status pawl_on_rollback_of(pawl_process *p, pawl_future call, const char *effect, pawl_bytes input)
{
    return call == 0 ? pawl_await(p, call) : p->host->on_rollback(p, call, pawl_bytes_of_text(effect), input, NULL);
}

/* Either, with options for the call that undoes it. call may be 0. */
PAWL_INLINE_ pawl_status pawl_on_rollback_with(pawl_process *p, pawl_future call, const char *effect, pawl_bytes input,
                                               const pawl_call_options *options)
{
    return p->host->on_rollback(p, call, pawl_bytes_of_text(effect), input, options);
}

/* ---- updates ---------------------------------------------------------------------------------------------------- */
/* Requests from outside that this process answers (`pawl update`): taken like signals, and each answered once, now or
 * later:
 *
 *     PAWL_TRY(pawl_update(p, "add-item", &update, &item));
 *     PAWL_TRY(full ? pawl_reject(p, update, "cart.full", "no more room") : pawl_reply(p, update, total));
 */

PAWL_INLINE_ pawl_future pawl_wait_update(pawl_process *p, const char *name)
{
    return p->host->wait_update(p, pawl_bytes_of_text(name));
}

/* Wait for the next update of this name. *update: what to answer, in this run. payload may be NULL. */
PAWL_INLINE_ pawl_status pawl_update(pawl_process *p, const char *name, pawl_future *update, pawl_bytes *payload)
{
    pawl_future future = pawl_wait_update(p, name);
    pawl_status status = pawl_await(p, future);
    *update = future;
    return status == PAWL_OK ? p->host->result(p, future, payload) : status;
}

PAWL_INLINE_ pawl_status pawl_reply(pawl_process *p, pawl_future update, pawl_bytes value)
{
    return p->host->answer(p, update, value, NULL);
}

PAWL_INLINE_ pawl_status pawl_reject(pawl_process *p, pawl_future update, const char *code, const char *message)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, code, message, 0);
    return p->host->answer(p, update, pawl_bytes_of("", 0), &failure);
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

/* The value of a future that an await has given. PAWL_E_FAILED: it failed; returning that fails the process with the
 * same failure. value may be NULL. */
PAWL_INLINE_ pawl_status pawl_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    return p->host->result(p, future, value);
}

/* Why it failed. PAWL_E_NOT_FOUND when it did not. */
PAWL_INLINE_ pawl_status pawl_result_failure(pawl_process *p, pawl_future future, pawl_failure *failure)
{
    return p->host->failure(p, future, failure);
}

/* Start, await and result in one. value may be NULL. */
PAWL_INLINE_ pawl_status pawl_call_with(pawl_process *p, const char *name, pawl_bytes input,
                                        const pawl_call_options *options, pawl_bytes *value)
{
    pawl_future future = pawl_start_call_with(p, name, input, options);
    pawl_status status = pawl_await(p, future);
    return status == PAWL_OK ? pawl_result(p, future, value) : status;
}

PAWL_INLINE_ pawl_status pawl_call(pawl_process *p, const char *name, pawl_bytes input, pawl_bytes *value)
{
    return pawl_call_with(p, name, input, NULL, value);
}

/* Start a child, wait until it has ended, and take its output. output may be NULL. */
PAWL_INLINE_ pawl_status pawl_child(pawl_process *p, const char *type, pawl_bytes input, pawl_bytes *output)
{
    pawl_future future = pawl_start_child(p, type, input);
    pawl_status status = pawl_await(p, future);
    return status == PAWL_OK ? pawl_result(p, future, output) : status;
}

PAWL_INLINE_ pawl_status pawl_sleep(pawl_process *p, uint64_t span_ns)
{
    return pawl_await(p, pawl_start_timer(p, span_ns));
}

/* A timer for a moment of the wall clock, which may be past. The clock is read for it, which is recorded. */
PAWL_INLINE_ pawl_future pawl_start_timer_until(pawl_process *p, uint64_t unix_ns)
{
    uint64_t now = pawl_now(p);
    return pawl_start_timer(p, unix_ns > now ? unix_ns - now : 0);
}

/* Wait until that moment; not at all when it is past. */
PAWL_INLINE_ pawl_status pawl_sleep_until(pawl_process *p, uint64_t unix_ns)
{
    uint64_t now = pawl_now(p);
    return unix_ns > now ? pawl_sleep(p, unix_ns - now) : PAWL_OK;
}

/* Wait for a signal and take it. payload may be NULL. */
PAWL_INLINE_ pawl_status pawl_signal(pawl_process *p, const char *name, pawl_bytes *payload)
{
    pawl_future future = pawl_wait_signal(p, name);
    pawl_status status = pawl_await(p, future);
    return status == PAWL_OK ? pawl_result(p, future, payload) : status;
}

/* The same for at most span_ns; PAWL_E_DEADLINE when none came in time. */
PAWL_INLINE_ pawl_status pawl_signal_within(pawl_process *p, const char *name, uint64_t span_ns, pawl_bytes *payload)
{
    pawl_future both[2];
    int first = 0;
    pawl_status status;
    both[0] = pawl_wait_signal(p, name);
    both[1] = pawl_start_timer(p, span_ns);
    status = pawl_await_any_of(p, &first, both, 2);
    if (status != PAWL_OK)
        return status;
    return first == 0 ? pawl_result(p, both[0], payload) : PAWL_E_DEADLINE;
}

/* ---- what others see -------------------------------------------------------------------------------------------- */

/* A JSON document that can be read from outside while the process runs. Replaces the one before. */
PAWL_INLINE_ pawl_status pawl_set_status(pawl_process *p, pawl_bytes document_json)
{
    return p->host->set_status(p, document_json);
}

/* Search attributes, by which others find the process: a JSON object such as {"customer": "x", "amount": 12}. The
 * profile names them and their types. A member is set, one that is null is removed, the others stay as they are. They
 * are stored with what the process writes next. PAWL_E_INVALID for an unknown name or a wrong type: the process is
 * parked as stuck then, until the profile or the program is put right. PAWL_E_UNSUPPORTED by a host that has none. */
PAWL_INLINE_ pawl_status pawl_set_attributes(pawl_process *p, pawl_bytes object_json)
{
    if (!PAWL_HAS(p->host, pawl_process_host, set_attributes))
        return PAWL_E_UNSUPPORTED;
    return p->host->set_attributes(p, object_json);
}

/* One log line, PAWL_LOG_INFO and so on; not while replaying. */
PAWL_INLINE_ void pawl_log(pawl_process *p, uint32_t level, const char *format, ...) PAWL_PRINTF_(3, 4);
PAWL_INLINE_ void pawl_log(pawl_process *p, uint32_t level, const char *format, ...)
{
    char message[1024];
    va_list args;
    if (p->host->replaying(p))
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    p->host->log(p, level, pawl_bytes_of_text(message), pawl_bytes_of("", 0));
}

/* With fields, a JSON object. */
PAWL_INLINE_ void pawl_log_fields(pawl_process *p, uint32_t level, const char *message, pawl_bytes fields_json)
{
    p->host->log(p, level, pawl_bytes_of_text(message), fields_json);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */
/* Return what these return. */

PAWL_INLINE_ pawl_status pawl_complete(pawl_process *p, pawl_bytes output)
{
    return p->host->complete(p, output);
}

/* With everything a failure can say. */
PAWL_INLINE_ pawl_status pawl_fail_as(pawl_process *p, const pawl_failure *failure)
{
    return p->host->fail(p, failure);
}

PAWL_INLINE_ pawl_status pawl_fail(pawl_process *p, const char *code, const char *message)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, code, message, 0);
    return p->host->fail(p, &failure);
}

PAWL_INLINE_ pawl_status pawl_failf(pawl_process *p, const char *code, const char *format, ...) PAWL_PRINTF_(3, 4);
PAWL_INLINE_ pawl_status pawl_failf(pawl_process *p, const char *code, const char *format, ...)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, code, NULL, 0);
    va_list args;
    va_start(args, format);
    failure.message = pawl_vprintf(p, format, args);
    va_end(args);
    return p->host->fail(p, &failure);
}

/* ---- the next run ----------------------------------------------------------------------------------------------- */
/* A process that goes on for ever must not let its journal grow for ever: now and then it ends its run and begins the
 * next one with an input of its making.
 *
 *     for (;;) {
 *         PAWL_TRY(pawl_signal(p, "order", &order));
 *         PAWL_TRY(pawl_call(p, "shop.book", order, &total));
 *         if (pawl_should_continue(p))
 *             return pawl_continue_as_new(p, total);
 *     } */

/* How long the journal of this run is, up to what the last await gave; the same in every activation. */
PAWL_INLINE_ uint64_t pawl_journal_bytes(pawl_process *p)
{
    return p->host->journal_bytes(p);
}

PAWL_INLINE_ uint64_t pawl_journal_records(pawl_process *p)
{
    return p->host->journal_records(p);
}

/* Non-zero when that is long: over the profile's limits.journal_warn, or 10 000 records. */
PAWL_INLINE_ int pawl_should_continue(pawl_process *p)
{
    return p->host->should_continue(p) != 0;
}

/* Go on as the next run: the same id, run number one more, this input, an empty journal. Signals that were not taken go
 * over in their order. Return what it returns; not while calls are open. */
PAWL_INLINE_ pawl_status pawl_continue_as_new(pawl_process *p, pawl_bytes input)
{
    return p->host->continue_as_new(p, input);
}

/* ---- process types ---------------------------------------------------------------------------------------------- */

typedef pawl_status (*pawl_program)(pawl_process *p);
typedef struct pawl_process_type {
    const char *name;
    uint32_t revision;
    pawl_program program;
} pawl_process_type;

/* Run a program; a C++ exception ends as a failure of the process, for it may not leave the plugin. */
PAWL_INLINE_ pawl_status pawl_run_program(pawl_process *p, pawl_program program)
{
#ifdef PAWL_PROCESS_CATCHES_
    try {
        return program(p);
    } catch (const std::exception &thrown) {
        return pawl_fail(p, "process.exception", thrown.what());
    } catch (...) {
        return pawl_fail(p, "process.exception", "the program threw something that is no std::exception");
    }
#else
    return program(p);
#endif
}

PAWL_INLINE_ pawl_status pawl_dispatch(pawl_process *p, pawl_bytes type, uint32_t revision,
                                       const pawl_process_type *types, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (types[i].revision == revision && pawl_is(type, types[i].name))
            return pawl_run_program(p, types[i].program);
    return PAWL_E_UNSUPPORTED; /* the host parks the process until a plugin that has it is there */
}

/* At file scope, once in a plugin; no semicolon after them. They define
 *   static const pawl_process_table pawl_processes       "pawl.process/1" over these programs
 *   static const void *pawl_process_factory(const char *) a get_factory for a plugin that has nothing else
 *
 * PAWL_PROCESS("shop.checkout", 3, checkout)
 * PAWL_PROCESSES(PAWL_TYPE("shop.checkout", 3, checkout), PAWL_TYPE("shop.refund", 1, refund))
 *
 * A changed program that does other commands in another order is a new revision: keep the old one as long as processes
 * that began with it are unfinished. */
#define PAWL_TYPE(type_name, type_revision, type_program)                                                              \
    {                                                                                                                  \
        type_name, type_revision, type_program                                                                         \
    }
#define PAWL_PROCESS(type_name, type_revision, type_program)                                                           \
    PAWL_PROCESSES(PAWL_TYPE(type_name, type_revision, type_program))
#define PAWL_PROCESSES(...)                                                                                            \
    static pawl_status PAWL_CALL pawl_processes_activate(pawl_process *p, pawl_bytes type, uint32_t revision)          \
    {                                                                                                                  \
        static const pawl_process_type types[] = {__VA_ARGS__};                                                        \
        return pawl_dispatch(p, type, revision, types, sizeof types / sizeof *types);                                  \
    }                                                                                                                  \
    static const pawl_process_table pawl_processes = {sizeof(pawl_process_table), 0, pawl_processes_activate};         \
    PAWL_INLINE_ const void *PAWL_CALL pawl_process_factory(const char *factory_id)                                    \
    {                                                                                                                  \
        return strcmp(factory_id, PAWL_FACTORY_PROCESS) == 0 ? (const void *)&pawl_processes : (const void *)0;        \
    }

#endif /* PAWL_PROCESS_H */
