/* call.c: see call.h. It must never free what a plugin may legally still use: the bytes of a call live until it is
 * over, which for one that completes later is the completion. */
#include "call.h"

#include "fence.h"
#include "worker/effect/context.h"
#include "worker/effect/core_table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MORE_WORDS         8
#define WORKER_STACK_BYTES ((size_t)1 << 20)
#define USUAL_STACK_BYTES  ((size_t)8 << 20)

/* A call struct, perhaps longer than this plugin knows. */
typedef struct {
    pawl_effect_call known;
    void *more[MORE_WORDS];
} longer_call;

/* The end of a call that completes later. */
typedef struct {
    pawl_completion completion; /* first: this is what a plugin points to */
    pthread_mutex_t lock;       /* guards the rest */
    pthread_cond_t changed;
    bool done;
    bool closed;
    pawl_status status;
    lab_sink *out;
    lab_why *why;
} later;

static void complete(pawl_completion *completion, pawl_status status, pawl_bytes result, const pawl_failure *failure)
{
    later *l = (later *)(void *)completion;
    if (result.data == NULL && result.size > 0)
        atomic_fetch_add(&lab_offences_now()->bad_bytes, 1);
    pthread_mutex_lock(&l->lock);
    if (l->done || l->closed) {
        atomic_fetch_add(&lab_offences_now()->late_completions, 1);
    } else {
        l->done = true;
        l->status = status;
        if (status == PAWL_OK && result.data != NULL)
            pawl_sink_write(&l->out->sink, result.data, result.size);
        if (failure != NULL) {
            atomic_fetch_add(&l->why->told, 1);
            l->why->code_size = failure->code.size;
            l->why->message_size = failure->message.size;
            pawl_failure_tell(&l->why->slot, failure);
        }
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

static later *create_later(lab_sink *out, lab_why *why)
{
    later *l = lab_keep(sizeof *l);
    l->completion.complete = complete;
    l->out = out;
    l->why = why;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    return l;
}

/* Wait for the end of what was begun, or find that what was not begun has ended all the same. */
static void await_end(lab_answer *answer, later *l)
{
    pthread_mutex_lock(&l->lock);
    while (answer->begun == PAWL_PENDING && !l->done)
        pthread_cond_wait(&l->changed, &l->lock);
    if (answer->begun != PAWL_PENDING && l->done)
        atomic_fetch_add(&lab_offences_now()->late_completions, 1);
    answer->completed = l->done;
    if (answer->begun == PAWL_PENDING)
        answer->status = l->status;
    l->closed = true;
    pthread_mutex_unlock(&l->lock);
}

static const pawl_effect_table *effects_of(const checker_lab *lab)
{
    return &lab->tables.effect;
}

static pawl_status make(const checker_lab *lab, const lab_request *r, const pawl_effect_call *call, lab_answer *answer,
                        later *l)
{
    const pawl_connector_table *connector = &lab->tables.connector;
    pawl_connector *instance = r->instance == NULL ? lab->instance : r->instance;
    pawl_sink *out = &answer->out->sink;
    pawl_failure_sink *why = &answer->why->slot;
    bool later_one = r->operation->declared->runs == PAWL_RUNS_ASYNC;
    if (r->reconcile)
        return r->operation->of_connector ? connector->reconcile(instance, call, out, why)
                                          : effects_of(lab)->reconcile(call, out, why);
    if (later_one)
        return r->operation->of_connector ? connector->start(instance, call, &l->completion, why)
                                          : effects_of(lab)->start(call, &l->completion, why);
    return r->operation->of_connector ? connector->invoke(instance, call, out, why)
                                      : effects_of(lab)->execute(call, out, why);
}

/* One that no call had before, in this check or another. */
void lab_new_key(char *key, size_t room)
{
    static atomic_uint number;
    static _Atomic uint64_t base;
    uint64_t nothing = 0;
    atomic_compare_exchange_strong(&base, &nothing, lab_now_ns());
    snprintf(key, room, "check-%llx/1/%u", (unsigned long long)atomic_load(&base), atomic_fetch_add(&number, 1) + 1);
}

lab_answer lab_call(checker_lab *lab, const lab_request *r)
{
    static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const lab_host *host = r->host == NULL ? &lab->host : r->host;
    bool fenced = r->care == BYTES_FENCED;
    bool later_one = r->operation->declared->runs == PAWL_RUNS_ASYNC && !r->reconcile;
    char key[80];
    lab_new_key(key, sizeof key);
    const pawl_bytes texts[4] = {pawl_bytes_text(r->name == NULL ? r->operation->declared->name : r->name), r->input,
                                 pawl_bytes_text(r->key == NULL ? key : r->key), pawl_bytes_text(trace)};
    fence lent[4];
    for (size_t i = 0; i < 4; i++)
        lent[i] = lab_fence_make(texts[i], fenced);
    pawl_call_context context = {&host->root, pawl_bytes_text("check"), pawl_bytes_text(""), 1,
                                 r->attempt == 0 ? 1 : r->attempt};
    const pawl_effect_call known = {.struct_size = r->newer ? (uint32_t)sizeof(longer_call) : (uint32_t)sizeof known,
                                    .attempt = context.attempt,
                                    .host = &host->root,
                                    .context = &context,
                                    .operation = lent[0].bytes,
                                    .input = lent[1].bytes,
                                    .idempotency_key = lent[2].bytes,
                                    .trace_context = lent[3].bytes,
                                    .deadline_mono_ns = r->deadline_ns == 0 ? 0 : lab_now_ns() + r->deadline_ns,
                                    .cancel = r->cancel};
    const longer_call whole = {known, {NULL}};
    const pawl_bytes struct_bytes = {&whole, r->newer ? sizeof whole : sizeof known};
    fence call = lab_fence_make(struct_bytes, fenced);
    lab_answer answer = {.out = lab_sink_create(r->no_output         ? 0
                                                : r->output_max == 0 ? LAB_OUTPUT_MAX
                                                                     : r->output_max),
                         .why = lab_why_create()};
    answer.out->fault = r->fault;
    answer.out->fault_at = r->fault_at;
    later *l = later_one ? create_later(answer.out, answer.why) : NULL;
    uint64_t begun = lab_now_ns();
    answer.begun = answer.status = make(lab, r, call.bytes.data, &answer, l);
    if (l != NULL)
        await_end(&answer, l);
    answer.took_ns = lab_now_ns() - begun;
    lab_sink_close(answer.out);
    lab_why_close(answer.why);
    lab_fence_drop(&call);
    for (size_t i = 0; i < 4; i++)
        lab_fence_drop(&lent[i]);
    return answer;
}

/* ---- within a time ---- */

typedef struct {
    checker_lab *lab;
    lab_request request;
    lab_answer answer;
    pthread_mutex_t lock; /* guards done */
    pthread_cond_t changed;
    bool done;
} bounded;

static void *run_bounded(void *context)
{
    bounded *b = context;
    lab_answer answer = lab_call(b->lab, &b->request);
    pthread_mutex_lock(&b->lock);
    b->answer = answer;
    b->done = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* False: the time has passed. */
static bool wait_for(bounded *b, uint32_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&b->lock);
    while (!b->done && pthread_cond_timedwait(&b->changed, &b->lock, &until) == 0)
        continue;
    bool done = b->done;
    pthread_mutex_unlock(&b->lock);
    return done;
}

static bool begin_bounded(bounded *b, pthread_t *thread)
{
    pthread_condattr_t clock;
    pthread_attr_t attributes;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, b->request.small_stack ? WORKER_STACK_BYTES : USUAL_STACK_BYTES);
    bool good = pthread_create(thread, &attributes, run_bounded, b) == 0;
    pthread_attr_destroy(&attributes);
    return good;
}

bool lab_call_within(checker_lab *lab, const lab_request *request, uint32_t ask_ms, uint32_t limit_ms, lab_answer *ret)
{
    pthread_t thread;
    bounded *b = lab_keep(sizeof *b); /* a call that does not return goes on using it */
    b->lab = lab;
    b->request = *request;
    if (request->cancel != NULL && ask_ms == 0)
        lab_cancel_ask(request->cancel);
    if (!begin_bounded(b, &thread))
        abort();
    if (request->cancel != NULL && ask_ms > 0 && !wait_for(b, ask_ms))
        lab_cancel_ask(request->cancel);
    if (!wait_for(b, limit_ms)) {
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    *ret = b->answer;
    return true;
}

void lab_answer_free(lab_answer *answer)
{
    lab_sink_free(answer->out);
    lab_why_free(answer->why);
}

pawl_bytes lab_answer_bytes(const lab_answer *answer)
{
    return pawl_sink_bytes(&answer->out->sink);
}

const char *lab_answer_text(const lab_answer *answer, char text[512])
{
    char status[64];
    const pawl_failure *failure = &answer->why->slot.failure;
    if (answer->status == PAWL_OK)
        snprintf(text, 512, "that it succeeded");
    else if (answer->why->slot.set)
        snprintf(text, 512, "that it failed, status %s, %.*s: %.*s", lab_status_text(answer->status, status),
                 (int)failure->code.size, (const char *)failure->code.data, (int)failure->message.size,
                 (const char *)failure->message.data);
    else
        snprintf(text, 512, "that it failed, status %s, without a reason", lab_status_text(answer->status, status));
    return text;
}
