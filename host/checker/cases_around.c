/* cases_around.c: middleware and observers, told what workers tell them: attempts that begin and end, and everything
 * that can be observed, from one thread and from many. */
#include "call.h"
#include "cases.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 64, NAMES = 8, THREADS = 8, KIND_LAST = 12, KIND_UNKNOWN = 63, FAILS_EVERY = 3 };
enum { PROMPT_WARN_US = 5000, PROMPT_MAX_US = 100000 };
#define DESCRIPTION_MAX ((size_t)64 << 10)
#define WAIT_LEAST_NS   UINT64_C(1000000)
#define WAIT_MOST_NS    (UINT64_C(86400) * 1000000000)
#define NS_PER_US       UINT64_C(1000)

/* What is tried: an instance of one of the two. */
typedef struct {
    checker_lab *lab;
    pawl_middleware *middleware;
    pawl_observer *observer;
    uint64_t kinds;        /* the observer wants to be told of */
    atomic_uint answers;   /* that no middleware may give */
    atomic_uint silent;    /* refusals without a reason */
    atomic_uint waits;     /* that are too short or too long */
    atomic_int odd_answer; /* one of them */
} tried;

/* ---- making ---- */

static bool is_middleware(const tried *t)
{
    return t->middleware != NULL;
}

static pawl_status create(tried *t, bool middleware, lab_why *why)
{
    const pawl_host_root *host = &t->lab->host.root;
    pawl_bytes config = pawl_bytes_text(lab_instance_config(t->lab));
    t->kinds = UINT64_MAX;
    return middleware
               ? t->lab->tables.middleware.create(host, pawl_bytes_text("check"), config, &t->middleware, &why->slot)
               : t->lab->tables.observer.create(host, config, &t->kinds, &t->observer, &why->slot);
}

static void destroy(tried *t)
{
    if (is_middleware(t))
        t->lab->tables.middleware.destroy(t->middleware);
    else
        t->lab->tables.observer.destroy(t->observer);
    t->middleware = NULL;
    t->observer = NULL;
}

/* False: the case is skipped, or has failed. */
static bool make(tried *t, bool middleware)
{
    char text[64];
    if (!lab_tables(t->lab))
        return false;
    lab_why *why = lab_why_create();
    lab_stage(t->lab, "create");
    pawl_status status = create(t, middleware, why);
    lab_why_close(why);
    const char *message = why->slot.set ? why->slot.failure.message.data : "no reason given";
    int size = why->slot.set ? (int)why->slot.failure.message.size : 15;
    if (status != PAWL_OK && t->lab->options->instance == NULL) {
        lab_skip(t->lab, "it makes no instance of {}; give its config with --instance: %.*s", size, message);
        return false;
    }
    lab_checked(t->lab);
    if (status != PAWL_OK || (t->middleware == NULL && t->observer == NULL)) {
        lab_find(t->lab, VERDICT_FAIL, "create", "an instance of the config that was given with --instance",
                 "status %s: %.*s", lab_status_text(status, text), size, message);
        return false;
    }
    return true;
}

/* ---- telling ---- */

static void judge_answer(tried *t, pawl_status status, uint64_t wait_ns, const lab_why *why)
{
    if (status > PAWL_PENDING || status == PAWL_SUSPEND) {
        atomic_fetch_add(&t->answers, 1);
        atomic_store(&t->odd_answer, status);
    }
    if (status == PAWL_PENDING && (wait_ns < WAIT_LEAST_NS || wait_ns > WAIT_MOST_NS))
        atomic_fetch_add(&t->waits, 1);
    if (status < PAWL_OK && !why->slot.set)
        atomic_fetch_add(&t->silent, 1);
}

static void try_attempt(tried *t, unsigned number)
{
    static const char *const names[NAMES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    const pawl_middleware_table *table = &t->lab->tables.middleware;
    pawl_attempt attempt = {.struct_size = sizeof attempt, .attempt = 1 + number % 3, .run = 1, .ordinal = number + 1};
    uint64_t ticket = 0, wait_ns = 0;
    attempt.process = pawl_bytes_text(names[number % NAMES]);
    attempt.type = pawl_bytes_text("check.type");
    attempt.effect = pawl_bytes_text("check.effect");
    attempt.input = pawl_bytes_text("{}");
    lab_why *why = lab_why_create();
    pawl_status status = table->before(t->middleware, &attempt, &ticket, &wait_ns, &why->slot);
    judge_answer(t, status, wait_ns, why);
    lab_why_free(why);
    if (status != PAWL_OK || table->after == NULL)
        return;
    const bool failed = number % FAILS_EVERY == 0;
    const pawl_failure failure = {.struct_size = sizeof failure,
                                  .klass = PAWL_RETRYABLE,
                                  .code = {"check.scripted", 14},
                                  .message = {"by the check", 12}};
    const pawl_attempt_end end = {.struct_size = sizeof end,
                                  .begun = number % 5 != 0,
                                  .status = failed ? PAWL_E_FAILED : PAWL_OK,
                                  .duration_ns = NS_PER_US * number,
                                  .failure = failed ? &failure : NULL};
    attempt.input = (pawl_bytes){NULL, 0};
    (void)table->after(t->middleware, &attempt, ticket, &end);
}

static void observe(tried *t, unsigned number)
{
    const uint32_t kind = number % (KIND_LAST + 2) > KIND_LAST ? KIND_UNKNOWN : number % (KIND_LAST + 2);
    pawl_observation seen = {.struct_size = sizeof seen,
                             .kind = kind == 0 ? 1 : kind,
                             .time_unix_ns = UINT64_C(1700000000000000000) + number,
                             .run = 1,
                             .attempt = 1,
                             .ordinal = number + 1,
                             .duration_ns = number,
                             .process_status = PAWL_COMPLETED};
    seen.process = pawl_bytes_text("check");
    seen.type = pawl_bytes_text(number % 4 == 0 ? "" : "check.type");
    seen.effect = pawl_bytes_text("check.effect");
    if ((t->kinds & (UINT64_C(1) << seen.kind)) != 0 || seen.kind == KIND_UNKNOWN)
        t->lab->tables.observer.observe(t->observer, &seen);
}

static void tell_some(tried *t)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (is_middleware(t))
            try_attempt(t, i);
        else
            observe(t, i);
    }
}

static void judge_answers(tried *t)
{
    if (atomic_load(&t->answers) > 0)
        lab_find(t->lab, VERDICT_FAIL, "before", "PAWL_OK, PAWL_PENDING or a negative status",
                 "the answer %d, %u times", atomic_load(&t->odd_answer), atomic_load(&t->answers));
    if (atomic_load(&t->waits) > 0)
        lab_find(t->lab, VERDICT_WARN, "before", "1 ms to a day in *wait_ns: it is taken as that",
                 "PAWL_PENDING with another wait, %u times", atomic_load(&t->waits));
    if (atomic_load(&t->silent) > 0)
        lab_find(t->lab, VERDICT_FAIL, "before", "a failure told to `why`: the call fails with it",
                 "refusals without a reason, %u times", atomic_load(&t->silent));
}

static void describe(tried *t)
{
    lab_sink *sink = lab_sink_create(DESCRIPTION_MAX);
    pawl_status (*ask)(pawl_middleware *, pawl_sink *) = t->lab->tables.middleware.describe;
    pawl_status (*ask_observer)(pawl_observer *, pawl_sink *) = t->lab->tables.observer.describe;
    char text[64];
    if (is_middleware(t) ? ask == NULL : ask_observer == NULL)
        return;
    lab_stage(t->lab, "describe");
    pawl_status status = is_middleware(t) ? ask(t->middleware, &sink->sink) : ask_observer(t->observer, &sink->sink);
    lab_sink_close(sink);
    pawl_bytes bytes = pawl_sink_bytes(&sink->sink);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    if (status != PAWL_OK || !json_is_object(json))
        lab_find(t->lab, VERDICT_FAIL, "describe", "one JSON object of at most 64 KiB", "status %s and %zu bytes%s",
                 lab_status_text(status, text), bytes.size, json == NULL ? " that are no JSON" : "");
    json_decref(json);
}

/* ---- the cases, for both ---- */

static void use(checker_lab *lab, bool middleware)
{
    tried t = {.lab = lab};
    if (!make(&t, middleware))
        return;
    lab_stage(lab, middleware ? "before and after" : "observe");
    uint64_t begun = lab_now_ns();
    tell_some(&t);
    uint64_t each_us = (lab_now_ns() - begun) / ATTEMPTS / NS_PER_US;
    if (each_us > PROMPT_WARN_US)
        lab_find(lab, each_us > PROMPT_MAX_US ? VERDICT_FAIL : VERDICT_WARN, NULL,
                 "no blocking: it is called on the worker's own threads", "that it takes %llu us on average",
                 (unsigned long long)each_us);
    judge_answers(&t);
    describe(&t);
    lab_stage(lab, "destroy");
    destroy(&t);
    lab_stage(lab, "destroy(NULL)");
    if (middleware)
        lab->tables.middleware.destroy(NULL);
    else
        lab->tables.observer.destroy(NULL);
    lab_close(lab);
}

static void *join_in(void *context)
{
    tell_some(context);
    return NULL;
}

static void use_by_many(checker_lab *lab, bool middleware)
{
    static tried t;
    pthread_t threads[THREADS];
    unsigned started = 0;
    t.lab = lab;
    if (!make(&t, middleware))
        return;
    lab_stage(lab, "%s from %u threads at once", middleware ? "before and after" : "observe", THREADS);
    for (; started < THREADS; started++)
        if (pthread_create(&threads[started], NULL, join_in, &t) != 0)
            break;
    describe(&t);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    judge_answers(&t);
    destroy(&t);
    lab_close(lab);
}

void case_middleware_use(checker_lab *lab)
{
    use(lab, true);
}

void case_middleware_threads(checker_lab *lab)
{
    use_by_many(lab, true);
}

void case_observer_use(checker_lab *lab)
{
    use(lab, false);
}

void case_observer_threads(checker_lab *lab)
{
    use_by_many(lab, false);
}

/* ---- again and again ---- */

typedef struct {
    tried t;
    bool middleware;
} again;

static bool live_once(void *context)
{
    again *a = context;
    lab_why *why = lab_why_create();
    bool good = create(&a->t, a->middleware, why) == PAWL_OK;
    lab_why_free(why);
    if (good) {
        tell_some(&a->t);
        destroy(&a->t);
    }
    return good;
}

static void repeat(checker_lab *lab, bool middleware)
{
    again a = {.t = {.lab = lab}, .middleware = middleware};
    if (!make(&a.t, middleware))
        return;
    destroy(&a.t);
    lab_repeat(lab, "create, use and destroy", live_once, &a);
    lab_close(lab);
}

void case_leak_middleware(checker_lab *lab)
{
    repeat(lab, true);
}

void case_leak_observer(checker_lab *lab)
{
    repeat(lab, false);
}
