/* fake_host.c: see fake_host.h. Keeps the promises of pawl.h that the ways in rely on: callbacks come once, on the
 * host's own thread, never from inside the call that asked for them. */
#include "fake_host.h"
#include "fake_host_lacks.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/api/find.h"
#include "worker/base/error.h"

#define PROCESSES_MAX 4096u

typedef struct process {
    char id[257];
    char type[64];
    char session[64];
    char input[4096];
    size_t input_size;
    uint32_t status;
    uint32_t external;
    uint32_t cancelled;
    char output[4096];
    size_t output_size;
    char code[64];
    char message[256];
    char signal_id[64]; /* the last one taken */
    char signal_payload[256];
    uint64_t created_unix_ns;
    json_t *records;
} process;

/* A callback that is owed. */
typedef struct job {
    struct job *next;
    pawl_on_started started;
    pawl_on_outcome outcome;
    void *context;
    pawl_status status;
    process *about;
    pawl_wait *wait; /* lives until its callback has returned */
    pawl_started result;
    pawl_error error;
} job;

struct pawl_wait {
    struct pawl_wait *next;
    pawl_host *host;
    process *about;
    pawl_on_outcome done;
    void *context;
};

struct pawl_host {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    process *processes[PROCESSES_MAX];
    size_t count;
    job *first;
    job **last;
    pawl_wait *waits;
    pawl_on_end on_end;
    void *on_end_context;
    int gate_open;
    uint32_t at_gate;
    int stop;
    uint32_t mode;
    char name[64];
    char socket[256];
    char data[256];
    char refuse[64];
    uint32_t requests;
    uint64_t input_max;
    uint32_t busy;
};

static const char *const status_names[] = {"?", "ready", "running", "waiting", "stuck", "compensating"};
static const char *const ending_names[] = {"completed", "failed", "cancelled", "terminated"};

static const char *name_of(uint32_t status)
{
    return status >= PAWL_COMPLETED ? ending_names[status - PAWL_COMPLETED] : status_names[status];
}

const char *pawl_library_version(void)
{
    return "0.1.0";
}

void pawl_text_free(pawl_text *text)
{
    free(text->data);
    text->data = NULL;
    text->size = 0;
}

pawl_status fake_give(json_t *json, pawl_text *ret)
{
    ret->data = json_dumps(json, JSON_COMPACT);
    ret->size = strlen(ret->data);
    json_decref(json);
    return PAWL_OK;
}

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void owe(pawl_host *host, job *j)
{
    j->next = NULL;
    *host->last = j;
    host->last = &j->next;
    pthread_cond_broadcast(&host->changed);
}

static void pay(job *j)
{
    if (j->started != NULL) {
        j->started(j->context, j->status, &j->result, &j->error);
    } else {
        pawl_outcome outcome = {.struct_size = sizeof outcome};
        if (j->status == PAWL_OK) {
            outcome.status = j->about->status;
            outcome.output = (pawl_bytes){j->about->output, j->about->output_size};
            outcome.code = (pawl_bytes){j->about->code, strlen(j->about->code)};
            outcome.message = (pawl_bytes){j->about->message, strlen(j->about->message)};
        }
        j->outcome(j->context, j->status, j->status == PAWL_OK ? &outcome : NULL, &j->error);
    }
    free(j->wait);
    free(j);
}

static void *host_thread(void *context)
{
    pawl_host *host = context;
    pthread_mutex_lock(&host->lock);
    while (!host->stop || host->first != NULL) {
        job *j = host->first;
        if (j == NULL) {
            pthread_cond_wait(&host->changed, &host->lock);
            continue;
        }
        host->first = j->next;
        if (host->first == NULL)
            host->last = &host->first;
        pthread_mutex_unlock(&host->lock);
        pay(j);
        pthread_mutex_lock(&host->lock);
    }
    pthread_mutex_unlock(&host->lock);
    return NULL;
}

/* Under the lock: turn waits about a process (or all, with NULL) into callbacks. */
static void end_waits(pawl_host *host, const process *about, const pawl_wait *only, pawl_status status)
{
    for (pawl_wait **at = &host->waits; *at != NULL;) {
        pawl_wait *wait = *at;
        if ((about != NULL && wait->about != about) || (only != NULL && wait != only)) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        job *j = calloc(1, sizeof *j);
        j->outcome = wait->done;
        j->context = wait->context;
        j->status = status;
        j->about = wait->about;
        if (status != PAWL_OK)
            pawl_error_set(&j->error, status, pawl_status_name(status), "the wait ended");
        j->wait = wait;
        owe(host, j);
    }
}

/* ---- processes ----------------------------------------------------------------------------------------------------
 */

static process *find(pawl_host *host, const char *id)
{
    for (size_t i = 0; i < host->count; i++)
        if (strcmp(host->processes[i]->id, id) == 0)
            return host->processes[i];
    return NULL;
}

static pawl_status find_or_fail(pawl_host *host, const char *id, process **ret, pawl_error *error)
{
    *ret = find(host, id);
    if (*ret == NULL && strcmp(id, "pruned") == 0)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "registry.no_longer_retained", "pruned is no longer retained");
    if (*ret == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process \"%s\"", id);
    return PAWL_OK;
}

static void record(process *p, const char *kind, const char *key, const char *value)
{
    json_t *entry = json_pack("{s:I, s:s, s:I}", "sequence", (json_int_t)json_array_size(p->records) + 1, "kind", kind,
                              "time_unix_ns", (json_int_t)unix_now_ns());
    if (key != NULL)
        json_object_set_new(entry, key, json_string(value));
    json_array_append_new(p->records, entry);
}

static void end_process(pawl_host *host, process *p, uint32_t status, pawl_bytes output, const char *code,
                        const char *message)
{
    p->status = status;
    p->output_size = output.size < sizeof p->output ? output.size : sizeof p->output;
    if (p->output_size > 0)
        memcpy(p->output, output.data, p->output_size);
    snprintf(p->code, sizeof p->code, "%s", code);
    snprintf(p->message, sizeof p->message, "%s", message);
    record(p, "ended", "status", name_of(status));
    end_waits(host, p, NULL, PAWL_OK);
    pawl_end end = {.struct_size = sizeof end,
                    .id = p->id,
                    .type = p->type,
                    .session = p->session,
                    .ended_unix_ns = unix_now_ns(),
                    .outcome = {.struct_size = sizeof end.outcome, .status = status}};
    end.outcome.output = (pawl_bytes){p->output, p->output_size};
    end.outcome.code = (pawl_bytes){p->code, strlen(p->code)};
    end.outcome.message = (pawl_bytes){p->message, strlen(p->message)};
    if (host->on_end != NULL)
        host->on_end(host->on_end_context, &end);
}

/* One follower is enough for a server. */
pawl_status pawl_host_follow(pawl_host *host, pawl_on_end on_end, void *context, pawl_follow **ret, pawl_error *error)
{
    (void)error;
    pthread_mutex_lock(&host->lock);
    host->on_end = on_end;
    host->on_end_context = context;
    pthread_mutex_unlock(&host->lock);
    *ret = (pawl_follow *)host;
    return PAWL_OK;
}

pawl_follow *pawl_host_unfollow(pawl_follow *follow)
{
    pawl_host *host = (pawl_host *)follow;
    if (host != NULL) {
        pthread_mutex_lock(&host->lock);
        host->on_end = NULL;
        pthread_mutex_unlock(&host->lock);
    }
    return NULL;
}

static void run_process(pawl_host *host, process *p)
{
    pawl_bytes none = {0};
    p->status = PAWL_WAITING;
    if (p->external)
        return;
    if (strcmp(p->type, "test.echo") == 0)
        end_process(host, p, PAWL_COMPLETED, (pawl_bytes){p->input, p->input_size}, "", "");
    else if (strcmp(p->type, "test.fail") == 0)
        end_process(host, p, PAWL_FAILED, none, "test.boom", "it failed, as asked");
    else if (strcmp(p->type, "test.stuck") == 0)
        p->status = PAWL_STUCK;
}

static pawl_status make_process(pawl_host *host, const pawl_start *start, pawl_started *ret, pawl_error *error)
{
    static const char *const types[] = {"test.echo", "test.fail", "test.hold", "test.stuck"};
    if (start->input.size > host->input_max)
        return pawl_error_set(error, PAWL_E_LIMIT, "host.input_too_large", "the input has %zu bytes",
                              start->input.size);
    if (strcmp(start->type, "test.full") == 0)
        return pawl_error_set(error, PAWL_E_FULL, "store.no_space", "no space left");
    size_t known = 0;
    while (known < 4 && strcmp(types[known], start->type) != 0)
        known++;
    if (known == 4 && (start->flags & PAWL_START_EXTERNAL) == 0)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "host.unknown_type", "no type \"%s\"", start->type);
    process *p = start->id == NULL ? NULL : find(host, start->id);
    if (p != NULL) {
        snprintf(ret->id, sizeof ret->id, "%s", p->id);
        ret->existed = 1;
        if (strcmp(p->type, start->type) == 0 && p->input_size == start->input.size &&
            (p->input_size == 0 || memcmp(p->input, start->input.data, p->input_size) == 0))
            return PAWL_OK;
        return pawl_error_set(error, PAWL_E_CONFLICT, "registry.conflict", "\"%s\" is there with another input", p->id);
    }
    p = calloc(1, sizeof *p);
    if (start->id == NULL)
        snprintf(p->id, sizeof p->id, "made-%zu", host->count);
    else
        snprintf(p->id, sizeof p->id, "%s", start->id);
    snprintf(p->type, sizeof p->type, "%s", start->type);
    snprintf(p->session, sizeof p->session, "%s", start->session == NULL ? "" : start->session);
    p->external = (start->flags & PAWL_START_EXTERNAL) != 0;
    p->input_size = start->input.size < sizeof p->input ? start->input.size : sizeof p->input;
    if (p->input_size > 0)
        memcpy(p->input, start->input.data, p->input_size);
    p->created_unix_ns = unix_now_ns();
    p->records = json_array();
    record(p, "started", NULL, NULL);
    host->processes[host->count++] = p;
    snprintf(ret->id, sizeof ret->id, "%s", p->id);
    ret->existed = 0;
    run_process(host, p);
    return PAWL_OK;
}

pawl_status pawl_host_start(pawl_host *host, const pawl_start *start, pawl_started *ret, pawl_error *error)
{
    pthread_mutex_lock(&host->lock);
    pawl_status status = make_process(host, start, ret, error);
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_start_async(pawl_host *host, const pawl_start *start, pawl_on_started done, void *context,
                                  pawl_error *error)
{
    if (strcmp(start->type, "test.closed") == 0)
        return pawl_error_set(error, PAWL_E_CLOSED, "host.closed", "closed");
    job *j = calloc(1, sizeof *j);
    j->started = done;
    j->context = context;
    pthread_mutex_lock(&host->lock);
    j->status = make_process(host, start, &j->result, &j->error);
    owe(host, j);
    pthread_mutex_unlock(&host->lock);
    return PAWL_PENDING;
}

pawl_status pawl_host_wait_async(pawl_host *host, const char *id, pawl_on_outcome done, void *context, pawl_wait **ret,
                                 pawl_error *error)
{
    process *p = NULL;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK) {
        pawl_wait *wait = calloc(1, sizeof *wait);
        *wait = (pawl_wait){host->waits, host, p, done, context};
        host->waits = wait;
        if (ret != NULL)
            *ret = wait;
        if (PAWL_IS_TERMINAL(p->status))
            end_waits(host, NULL, wait, PAWL_OK);
    }
    pthread_mutex_unlock(&host->lock);
    return status == PAWL_OK ? PAWL_PENDING : status;
}

void pawl_wait_cancel(pawl_wait *wait)
{
    pthread_mutex_lock(&wait->host->lock);
    end_waits(wait->host, NULL, wait, PAWL_E_CANCELLED); /* nothing, when its callback is on its way already */
    pthread_mutex_unlock(&wait->host->lock);
}

pawl_status pawl_host_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *update_id, uint64_t timeout_ns, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)name;
    (void)payload;
    (void)update_id;
    (void)timeout_ns;
    (void)ret_json;
    return pawl_error_set(error, PAWL_E_DEADLINE, "update.timeout", "it has not answered");
}

pawl_status pawl_host_signal(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *signal_id, uint32_t *ret_replayed, pawl_error *error)
{
    process *p = NULL;
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)payload.size, payload.size == 0 ? "" : (const char *)payload.data);
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK && signal_id != NULL && strcmp(p->signal_id, signal_id) == 0) {
        *ret_replayed = 1;
        if (strcmp(p->signal_payload, text) != 0)
            status = pawl_error_set(error, PAWL_E_CONFLICT, "registry.conflict", "another signal has this id");
    } else if (status == PAWL_OK && PAWL_IS_TERMINAL(p->status)) {
        status = pawl_error_set(error, PAWL_E_TERMINAL, "registry.terminal", "\"%s\" has ended", id);
    } else if (status == PAWL_OK) {
        snprintf(p->signal_id, sizeof p->signal_id, "%s", signal_id == NULL ? "" : signal_id);
        snprintf(p->signal_payload, sizeof p->signal_payload, "%s", text);
        record(p, "signal", "name", name);
        if (strcmp(name, "go") == 0)
            end_process(host, p, PAWL_COMPLETED, payload, "", "");
    }
    pthread_mutex_unlock(&host->lock);
    return status;
}

static pawl_status stop_process(pawl_host *host, const char *id, const char *reason, uint32_t ending, pawl_error *error)
{
    process *p = NULL;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK && PAWL_IS_TERMINAL(p->status))
        status = pawl_error_set(error, PAWL_E_TERMINAL, "registry.terminal", "\"%s\" has ended", id);
    else if (status == PAWL_OK)
        end_process(host, p, ending, (pawl_bytes){0}, name_of(ending), reason == NULL ? "" : reason);
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_cancel(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    return stop_process(host, id, reason, PAWL_CANCELLED, error);
}

pawl_status pawl_host_terminate(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    return stop_process(host, id, reason, PAWL_TERMINATED, error);
}

pawl_status pawl_host_resume(pawl_host *host, const char *id, pawl_error *error)
{
    process *p = NULL;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK && p->status != PAWL_STUCK)
        status =
            pawl_error_set(error, PAWL_E_CONFLICT, "host.not_stuck", "\"%s\" is %s, not stuck", id, name_of(p->status));
    else if (status == PAWL_OK)
        end_process(host, p, PAWL_COMPLETED, (pawl_bytes){"\"resumed\"", 9}, "", "");
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_pause(pawl_host *host, uint32_t kind, const char *name, const char *reason, pawl_error *error)
{
    process *p = NULL;
    (void)reason;
    if (kind != PAWL_PAUSE_PROCESS)
        return PAWL_OK;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, name, &p, error);
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_restart(pawl_host *host, const char *id, uint64_t step, const char *reason,
                              const char *request_id, uint32_t *ret_replayed, pawl_error *error)
{
    process *p = NULL;
    (void)reason;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK && step > 3 && step != PAWL_RESTART_AT_END)
        status = pawl_error_set(error, PAWL_E_INVALID, "no_such_step", "\"%s\" has no step %llu", id,
                                (unsigned long long)step);
    if (status == PAWL_OK)
        *ret_replayed = request_id != NULL && strcmp(request_id, "twice") == 0;
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_unpause(pawl_host *host, uint32_t kind, const char *name, pawl_error *error)
{
    return kind == PAWL_PAUSE_PROCESS ? pawl_host_resume(host, name, error) : PAWL_OK;
}

pawl_status pawl_host_complete(pawl_host *host, const char *id, const pawl_outcome *outcome, pawl_error *error)
{
    process *p = NULL;
    char code[64];
    char message[256];
    snprintf(code, sizeof code, "%.*s", (int)outcome->code.size,
             outcome->code.size ? (const char *)outcome->code.data : "");
    snprintf(message, sizeof message, "%.*s", (int)outcome->message.size,
             outcome->message.size ? (const char *)outcome->message.data : "");
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK && PAWL_IS_TERMINAL(p->status))
        status = pawl_error_set(error, PAWL_E_TERMINAL, "registry.terminal", "\"%s\" has ended", id);
    else if (status == PAWL_OK && !p->external)
        status = pawl_error_set(error, PAWL_E_INVALID, "host.not_external", "\"%s\" is not external", id);
    else if (status == PAWL_OK)
        end_process(host, p, outcome->status, outcome->output, code, message);
    pthread_mutex_unlock(&host->lock);
    return status;
}

/* ---- looking ------------------------------------------------------------------------------------------------------
 */

static json_t *row_of(const process *p)
{
    json_t *row = json_pack("{s:s, s:s, s:i, s:s, s:s*, s:I, s:s}", "id", p->id, "type", p->type, "revision", 1,
                            "status", name_of(p->status), "session", p->session[0] == '\0' ? NULL : p->session,
                            "created_unix_ns", (json_int_t)p->created_unix_ns, "created", "2026-01-01T00:00:00Z");
    if (p->status == PAWL_WAITING)
        json_object_set_new(row, "why", json_string("waits for signal go"));
    if (p->status == PAWL_STUCK)
        json_object_set_new(row, "why", json_string("stuck: broken on purpose; pawl resume lets it go on"));
    return row;
}

pawl_status pawl_host_get(pawl_host *host, const char *id, pawl_text *ret_json, pawl_error *error)
{
    process *p = NULL;
    pthread_mutex_lock(&host->lock);
    if (strcmp(id, "slow") == 0) {
        host->at_gate++;
        while (!host->gate_open)
            pthread_cond_wait(&host->changed, &host->lock);
        host->at_gate--;
    }
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK)
        fake_give(row_of(p), ret_json);
    pthread_mutex_unlock(&host->lock);
    return status;
}

static int is_listed(const process *p, const pawl_list_options *options)
{
    int ended = PAWL_IS_TERMINAL(p->status);
    if (options->status != NULL && strcmp(options->status, "live") == 0 && ended)
        return 0;
    if (options->status != NULL && strcmp(options->status, "ended") == 0 && !ended)
        return 0;
    if (options->status != NULL && strcmp(options->status, "stuck") == 0 && p->status != PAWL_STUCK)
        return 0;
    if (options->type != NULL && strcmp(options->type, p->type) != 0)
        return 0;
    if (options->session != NULL && strcmp(options->session, p->session) != 0)
        return 0;
    if (options->parent != NULL)
        return 0; /* nobody has any here */
    return options->id_prefix == NULL || strncmp(p->id, options->id_prefix, strlen(options->id_prefix)) == 0;
}

pawl_status pawl_host_list(pawl_host *host, const pawl_list_options *options, pawl_text *ret_json, pawl_error *error)
{
    (void)error;
    json_t *rows = json_array();
    uint64_t next = 0;
    pthread_mutex_lock(&host->lock);
    for (uint64_t i = options->after; i < host->count; i++) {
        process *p = host->processes[options->newest_first ? host->count - 1 - i : i];
        if (!is_listed(p, options))
            continue;
        if (json_array_size(rows) == options->limit) {
            next = i;
            break;
        }
        json_array_append_new(rows, row_of(p));
    }
    pthread_mutex_unlock(&host->lock);
    return fake_give(
        json_pack("{s:o, s:o}", "processes", rows, "next", next == 0 ? json_null() : json_integer((json_int_t)next)),
        ret_json);
}

pawl_status pawl_host_count(pawl_host *host, const pawl_list_options *options, uint64_t limit_rows, pawl_text *ret_json,
                            pawl_error *error)
{
    (void)error;
    uint64_t count = 0;
    pthread_mutex_lock(&host->lock);
    for (uint64_t i = 0; i < host->count && count < limit_rows; i++)
        count += is_listed(host->processes[i], options) ? 1 : 0;
    pthread_mutex_unlock(&host->lock);
    return fake_give(json_pack("{s:I, s:b}", "count", (json_int_t)count, "complete", count < limit_rows), ret_json);
}

pawl_status pawl_host_prune(pawl_host *host, const pawl_prune_options *options, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)options;
    (void)error;
    return fake_give(json_pack("{s:i, s:i, s:i, s:b, s:i, s:i}", "pruned", 0, "attachments", 0, "looked", 0, "more", 0,
                               "after_unix_ns", 0, "after_number", 0),
                     ret_json);
}

pawl_status pawl_host_journal(pawl_host *host, const char *id, uint64_t from, uint32_t limit, uint32_t whole_values,
                              pawl_text *ret_json, pawl_error *error)
{
    (void)whole_values;
    process *p = NULL;
    pthread_mutex_lock(&host->lock);
    pawl_status status = find_or_fail(host, id, &p, error);
    if (status == PAWL_OK) {
        json_t *records = json_array();
        size_t size = json_array_size(p->records);
        size_t i = from - 1;
        for (; i < size && json_array_size(records) < limit; i++)
            json_array_append(records, json_array_get(p->records, i));
        fake_give(json_pack("{s:o, s:o}", "records", records, "next",
                            i < size ? json_integer((json_int_t)i + 1) : json_null()),
                  ret_json);
    }
    pthread_mutex_unlock(&host->lock);
    return status;
}

pawl_status pawl_host_versions(pawl_host *host, uint64_t rows_max, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)rows_max;
    (void)error;
    return fake_give(json_pack("{s:[{s:s, s:s, s:[s], s:s, s:s, s:b, s:b, s:i}, {s:s, s:s, s:b, s:b, s:i}], s:i, s:b}",
                               "plugins", "id", "com.example.\"x\"", "version", "1.0.0", "kinds", "process", "digest",
                               "0123456789abcdef", "path", "/p.so", "loaded", 1, "current", 1, "processes", 3, "id",
                               "com.example.y", "digest", "fedcba9876543210", "loaded", 0, "current", 0, "processes", 0,
                               "looked_at", 3, "complete", 1),
                     ret_json);
}

pawl_status pawl_host_forget_version(pawl_host *host, const char *digest, pawl_error *error)
{
    (void)host;
    if (digest[0] == 'a')
        return pawl_error_set(error, PAWL_E_BUSY, "plugin.pinned", "process \"p\" is pinned to it");
    return PAWL_OK;
}

pawl_status pawl_host_describe(pawl_host *host, pawl_text *ret_json, pawl_error *error)
{
    (void)error;
    json_int_t counts[4] = {0};
    pthread_mutex_lock(&host->lock);
    for (size_t i = 0; i < host->count; i++)
        counts[PAWL_IS_TERMINAL(host->processes[i]->status) ? host->processes[i]->status - PAWL_COMPLETED : 3]++;
    pthread_mutex_unlock(&host->lock);
    return fake_give(
        json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:[s], s:s, s:s}], s:{s:i, s:i, s:b, s:s}, s:{s:I, s:I, s:I}}",
                  "version", "0.1.0", "profile", host->name, "tier", "inline", "plugins", "id", "com.example.\"x\"",
                  "version", "1.0.0", "kinds", "process", "digest", "0123456789abcdef", "path", "/p.so", "worker",
                  "resident", 3, "steps", 7, "running", 1, "name", "w", "counts", "completed", counts[0], "failed",
                  counts[1], "waiting", counts[3]),
        ret_json);
}

/* ---- the host -----------------------------------------------------------------------------------------------------
 */

static void read_profile(pawl_host *host, const char *text)
{
    while (*text != '\0') {
        char line[512];
        char key[64] = "";
        char value[256] = "";
        size_t size = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)size, text);
        text += size + (text[size] == '\n');
        if (sscanf(line, "%63[^:]: %255s", key, value) != 2)
            continue;
        if (strcmp(key, "profile") == 0)
            snprintf(host->name, sizeof host->name, "%.60s", value);
        if (strcmp(key, "socket") == 0)
            snprintf(host->socket, sizeof host->socket, "%s", value);
        if (strcmp(key, "data") == 0)
            snprintf(host->data, sizeof host->data, "%s", value);
        if (strcmp(key, "refuse") == 0)
            snprintf(host->refuse, sizeof host->refuse, "%.60s", value);
        if (strcmp(key, "requests") == 0)
            host->requests = (uint32_t)strtoul(value, NULL, 10);
        if (strcmp(key, "input") == 0)
            host->input_max = strtoul(value, NULL, 10);
        if (strcmp(key, "busy") == 0)
            host->busy = (uint32_t)strtoul(value, NULL, 10);
    }
}

static pawl_status read_profile_file(pawl_host *host, const char *path, pawl_error *error)
{
    char text[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "profile.unreadable", "%s cannot be read", path);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    read_profile(host, text);
    return PAWL_OK;
}

pawl_status pawl_host_open(const pawl_host_options *options, pawl_host **ret, pawl_error *error)
{
    pawl_host *host = calloc(1, sizeof *host);
    host->requests = 256;
    host->input_max = 4096;
    host->last = &host->first;
    pthread_mutex_init(&host->lock, NULL);
    pthread_cond_init(&host->changed, NULL);
    pawl_status status = PAWL_OK;
    if (options->profile_text != NULL)
        read_profile(host, options->profile_text);
    else
        status = read_profile_file(host, options->profile_path, error);
    if (status == PAWL_OK && host->refuse[0] != '\0')
        status = pawl_error_set(error, PAWL_E_INVALID, host->refuse, "refused, as asked");
    if (status != PAWL_OK) {
        free(host);
        return status;
    }
    pthread_create(&host->thread, NULL, host_thread, host);
    *ret = host;
    return PAWL_OK;
}

pawl_status pawl_host_drain(pawl_host *host, uint32_t mode, uint64_t timeout_ns, pawl_error *error)
{
    (void)timeout_ns;
    (void)error;
    pthread_mutex_lock(&host->lock);
    if (mode > host->mode)
        host->mode = mode;
    pthread_cond_broadcast(&host->changed);
    while (host->busy && host->mode < PAWL_STOP_ABORT && !host->stop)
        pthread_cond_wait(&host->changed, &host->lock);
    pthread_mutex_unlock(&host->lock);
    return PAWL_OK;
}

pawl_host *pawl_host_close(pawl_host *host)
{
    if (host == NULL)
        return NULL;
    pthread_mutex_lock(&host->lock);
    host->stop = 1;
    end_waits(host, NULL, NULL, PAWL_E_CLOSED);
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
    pthread_join(host->thread, NULL);
    for (size_t i = 0; i < host->count; i++) {
        json_decref(host->processes[i]->records);
        free(host->processes[i]);
    }
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->lock);
    free(host);
    return NULL;
}

const char *pawl_host_socket(const pawl_host *host)
{
    return host->socket;
}

void pawl_host_request_limits(const pawl_host *host, uint32_t *requests, uint64_t *input_bytes)
{
    *requests = host->requests;
    *input_bytes = host->input_max;
}

pawl_status pawl_profile_check(const char *profile_path, pawl_text *ret_report, pawl_error *error)
{
    pawl_host probe = {.requests = 0};
    pawl_status status = read_profile_file(&probe, profile_path, error);
    if (status != PAWL_OK)
        return status;
    char report[512] = "";
    if (probe.refuse[0] != '\0')
        snprintf(report, sizeof report, "%s:3:1: unknown key \"refuse\"\n%s:4:7: wanted a number\n", profile_path,
                 profile_path);
    ret_report->data = strdup(report);
    ret_report->size = strlen(report);
    return report[0] == '\0' ? PAWL_OK : PAWL_E_INVALID;
}

pawl_status pawl_api_find_server(const char *profile_path, pawl_server_place *ret, pawl_error *error)
{
    pawl_host probe = {.requests = 0};
    pawl_status status = read_profile_file(&probe, profile_path, error);
    snprintf(ret->name, sizeof ret->name, "%s", probe.name);
    snprintf(ret->socket, sizeof ret->socket, "%s", probe.socket);
    snprintf(ret->data, sizeof ret->data, "%s", probe.data);
    return status;
}

pawl_status pawl_plugin_inspect(const char *path, pawl_text *ret_json, pawl_error *error)
{
    if (strstr(path, "bad") != NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "loader.not_elf", "%s: not an ELF file", path);
    return fake_give(json_pack("{s:s, s:{s:i, s:i}, s:[{s:s}, {s:s}]}", "id", "com.example.x", "abi", "major", 1,
                               "minor", 0, "effects", "name", "one", "name", "two"),
                     ret_json);
}

pawl_status pawl_plugin_probe(const char *path, const char *data_dir, pawl_text *ret_json, pawl_error *error)
{
    (void)data_dir;
    return pawl_plugin_inspect(path, ret_json, error);
}

/* ---- for tests ----------------------------------------------------------------------------------------------------
 */

void fake_host_open_gate(pawl_host *host)
{
    pthread_mutex_lock(&host->lock);
    host->gate_open = 1;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

uint32_t fake_host_at_gate(pawl_host *host)
{
    pthread_mutex_lock(&host->lock);
    uint32_t count = host->at_gate;
    pthread_mutex_unlock(&host->lock);
    return count;
}

uint32_t fake_host_waits(pawl_host *host)
{
    uint32_t count = 0;
    pthread_mutex_lock(&host->lock);
    for (const pawl_wait *wait = host->waits; wait != NULL; wait = wait->next)
        count++;
    pthread_mutex_unlock(&host->lock);
    return count;
}
