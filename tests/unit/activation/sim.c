/* sim.c: see sim.h. Plays the worker's part, with a journal in memory. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

pawl_bytes sim_text(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

void sim_digest(pawl_bytes bytes, uint8_t ret[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data, bytes.size));
    memcpy(ret, canonical.digest, 16);
}

void sim_note(struct sim *sim, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    assert_in_range(size, 0, (int)sizeof line - 2);
    line[size++] = '\n';
    sim->trace = realloc(sim->trace, sim->trace_size + (size_t)size + 1);
    assert_non_null(sim->trace);
    memcpy(sim->trace + sim->trace_size, line, (size_t)size);
    sim->trace_size += (size_t)size;
    sim->trace[sim->trace_size] = '\0';
}

static void log_line(void *context, pawl_bytes process, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)process;
    sim_note(context, "  log %" PRIu32 " %.*s%s%.*s", level, (int)message.size, (const char *)message.data,
             fields_json.size > 0 ? " " : "", (int)fields_json.size, (const char *)fields_json.data);
}

static void create(struct sim *sim)
{
    pawl_error error = {0};
    assert_int_equal(pawl_activation_create(&sim->config, &sim->activation, &error), PAWL_OK);
}

void sim_open(struct sim *sim, const pawl_process_table *table, const char *type)
{
    *sim = (struct sim){.now_unix_ns = 5000};
    sim->config = (pawl_activation_config){
        .id = sim_text("p1"),
        .session = sim_text("s1"),
        .type = sim_text(type),
        .revision = 1,
        .run = 1,
        .program = table,
        .keep_from = SIM_KEEP_FROM,
        .value_bytes_max = 65536,
        .commands_max = 100,
        .log = {log_line, sim},
    };
    create(sim);
}

void sim_close(struct sim *sim)
{
    assert_null(pawl_activation_destroy(sim->activation));
    free(sim->trace);
    free(sim->records);
    pawl_arena_finish(&sim->arena);
    *sim = (struct sim){0};
}

void sim_reload(struct sim *sim)
{
    pawl_activation_destroy(sim->activation);
    create(sim);
}

void sim_feed_journal(struct sim *sim)
{
    pawl_error error = {0};
    for (size_t i = pawl_activation_head(sim->activation); i < sim->record_count; i++)
        if (pawl_activation_feed(sim->activation, &sim->records[i], &error) != PAWL_OK)
            fail_msg("record %zu: %s", i + 1, error.message);
}

void sim_append(struct sim *sim, const pawl_entry *entry)
{
    if (sim->record_count == sim->record_room) {
        sim->record_room = sim->record_room * 2 + 16;
        sim->records = realloc(sim->records, sim->record_room * sizeof *sim->records);
        assert_non_null(sim->records);
    }
    pawl_record *record = &sim->records[sim->record_count++];
    *record = (pawl_record){.struct_size = sizeof *record,
                            .kind = entry->kind,
                            .sequence = sim->record_count,
                            .time_unix_ns = SIM_TIME(sim->record_count)};
    assert_int_equal(pawl_entry_encode(&sim->arena, entry, &record->body), PAWL_OK);
}

static void trace_entry(struct sim *sim, const pawl_entry *entry)
{
    char what[128] = "";
    if (entry->ordinal != 0)
        snprintf(what, sizeof what, " %" PRIu64, entry->ordinal);
    if (entry->name.size > 0)
        snprintf(what + strlen(what), sizeof what - strlen(what), " %.*s", (int)entry->name.size,
                 (const char *)entry->name.data);
    if (entry->failed)
        sim_note(sim, "< %zu %s%s failed %.*s", sim->record_count, pawl_record_name(entry->kind), what,
                 (int)entry->failure.code.size, (const char *)entry->failure.code.data);
    else
        sim_note(sim, "< %zu %s%s%s%.*s", sim->record_count, pawl_record_name(entry->kind), what,
                 entry->value.size > 0 ? " = " : "", (int)entry->value.size, (const char *)entry->value.data);
}

void sim_entry(struct sim *sim, pawl_entry *entry)
{
    sim_append(sim, entry);
    trace_entry(sim, entry);
    sim_feed_journal(sim);
}

pawl_status sim_refused(struct sim *sim, const pawl_entry *entry, pawl_error *error)
{
    *error = (pawl_error){0};
    sim_append(sim, entry);
    uint64_t head = pawl_activation_head(sim->activation);
    pawl_status status = pawl_activation_feed(sim->activation, &sim->records[sim->record_count - 1], error);
    assert_int_equal(pawl_activation_head(sim->activation), head);
    sim->record_count--;
    return status;
}

void sim_start_bytes(struct sim *sim, pawl_bytes input)
{
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_STARTED, .value = input});
}

void sim_start(struct sim *sim, const char *input)
{
    sim_start_bytes(sim, sim_text(input));
}

pawl_open_call *sim_call(struct sim *sim, uint64_t ordinal)
{
    for (pawl_open_call *call = pawl_activation_calls(sim->activation); call != NULL; call = call->next)
        if (call->ordinal == ordinal)
            return call;
    return NULL;
}

static pawl_entry entry_of_call(struct sim *sim, uint32_t kind, uint64_t ordinal)
{
    const pawl_open_call *call = sim_call(sim, ordinal);
    assert_non_null(call);
    pawl_entry entry = {.kind = kind, .ordinal = ordinal, .attempt = 1, .name = call->name};
    memcpy(entry.digest, call->digest, sizeof entry.digest);
    return entry;
}

void sim_step(struct sim *sim, uint64_t ordinal, const char *result)
{
    pawl_entry entry = entry_of_call(sim, PAWL_RECORD_STEP, ordinal);
    entry.value = sim_text(result);
    sim_entry(sim, &entry);
}

static pawl_failure failure_of(uint32_t klass, const char *code, const char *message)
{
    return (pawl_failure){
        .struct_size = sizeof(pawl_failure), .klass = klass, .code = sim_text(code), .message = sim_text(message)};
}

void sim_step_failed(struct sim *sim, uint64_t ordinal, const char *code, const char *message)
{
    pawl_entry entry = entry_of_call(sim, PAWL_RECORD_STEP, ordinal);
    entry.failed = true;
    entry.failure = failure_of(PAWL_TERMINAL, code, message);
    sim_entry(sim, &entry);
}

void sim_step_of(struct sim *sim, uint64_t ordinal, const char *name, const char *input, const char *result)
{
    pawl_entry entry = {
        .kind = PAWL_RECORD_STEP, .ordinal = ordinal, .attempt = 1, .name = sim_text(name), .value = sim_text(result)};
    sim_digest(sim_text(input), entry.digest);
    sim_entry(sim, &entry);
}

void sim_intent(struct sim *sim, uint64_t ordinal, uint32_t attempt)
{
    pawl_entry entry = entry_of_call(sim, PAWL_RECORD_INTENT, ordinal);
    entry.attempt = attempt;
    sim_entry(sim, &entry);
}

void sim_attempt(struct sim *sim, uint64_t ordinal, uint32_t attempt, const char *code, uint64_t due_unix_ns)
{
    pawl_entry entry = entry_of_call(sim, PAWL_RECORD_ATTEMPT, ordinal);
    entry.attempt = attempt;
    entry.due_unix_ns = due_unix_ns;
    entry.failed = true;
    entry.failure = failure_of(PAWL_RETRYABLE, code, "not now");
    sim_entry(sim, &entry);
}

static const pawl_open_timer *open_timer(struct sim *sim, uint64_t ordinal)
{
    for (pawl_open_timer *timer = pawl_activation_timers(sim->activation); timer != NULL; timer = timer->next)
        if (timer->ordinal == ordinal)
            return timer;
    return NULL;
}

void sim_timer(struct sim *sim, uint64_t ordinal)
{
    const pawl_open_timer *timer = open_timer(sim, ordinal);
    assert_non_null(timer);
    assert_false(timer->recorded);
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_TIMER,
                                 .ordinal = ordinal,
                                 .after_ns = timer->after_ns,
                                 .due_unix_ns = timer->after_ns});
    assert_true(timer->recorded);
    assert_int_equal(timer->due_unix_ns, timer->after_ns);
}

void sim_fired(struct sim *sim, uint64_t ordinal)
{
    assert_non_null(open_timer(sim, ordinal));
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_FIRED, .ordinal = ordinal});
    assert_null(open_timer(sim, ordinal));
}

void sim_signal(struct sim *sim, const char *name, const char *payload)
{
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_SIGNAL, .name = sim_text(name), .value = sim_text(payload)});
}

void sim_cancel(struct sim *sim, const char *reason)
{
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_CANCEL, .value = sim_text(reason)});
}

/* ---- runs ---- */

/* What the run has newly opened: calls are marked through worker_data, timers by being unrecorded. */
static void trace_opened(struct sim *sim)
{
    for (pawl_open_call *call = pawl_activation_calls(sim->activation); call != NULL; call = call->next) {
        if (call->issued && call->worker_data == NULL)
            sim_note(sim, "  call %" PRIu64 " %.*s = %.*s", call->ordinal, (int)call->name.size,
                     (const char *)call->name.data, (int)call->input.size, (const char *)call->input.data);
        if (call->issued)
            call->worker_data = sim;
        assert_true(call->next == NULL || call->next->ordinal > call->ordinal);
    }
    for (pawl_open_timer *timer = pawl_activation_timers(sim->activation); timer != NULL; timer = timer->next) {
        if (!timer->recorded)
            sim_note(sim, "  timer %" PRIu64 " %" PRIu64 " ns", timer->ordinal, timer->after_ns);
        assert_true(timer->next == NULL || timer->next->ordinal > timer->ordinal);
    }
}

static void trace_end(struct sim *sim)
{
    const pawl_run_result *result = &sim->result;
    const pawl_failure *failure = &result->failure;
    switch (result->kind) {
    case PAWL_RUN_SUSPENDED:
        sim_note(sim, "> waits: %.*s%s", (int)result->waits.size, (const char *)result->waits.data,
                 result->waits_for_signal ? " (signal)" : "");
        break;
    case PAWL_RUN_STUCK:
        sim_note(sim, "> stuck %.*s: %.*s", (int)result->reason_code.size, (const char *)result->reason_code.data,
                 (int)result->reason.size, (const char *)result->reason.data);
        break;
    case PAWL_RUN_ENDED:
        if (result->status == PAWL_COMPLETED)
            sim_note(sim, "> completed %.*s", (int)result->output.size, (const char *)result->output.data);
        else
            sim_note(sim, "> %s %.*s: %.*s", result->status == PAWL_FAILED ? "failed" : "cancelled",
                     (int)failure->code.size, (const char *)failure->code.data, (int)failure->message.size,
                     (const char *)failure->message.data);
        break;
    case PAWL_RUN_CONTINUED:
        sim_note(sim, "> continued %.*s", (int)result->output.size, (const char *)result->output.data);
        break;
    default:
        fail_msg("a run ended as %" PRIu32, result->kind);
    }
}

void sim_run(struct sim *sim)
{
    pawl_activation_run(sim->activation, sim->now_unix_ns, &sim->result);
    trace_opened(sim);
    if (sim->result.document != NULL) {
        sim_note(sim, "  status %.*s", (int)sim->result.document->size, (const char *)sim->result.document->data);
        pawl_activation_document_stored(sim->activation);
    }
    trace_end(sim);
    for (size_t i = 0; i < sim->result.local_count; i++) {
        const pawl_record *local = &sim->result.local[i];
        pawl_record record = *local;
        record.sequence = sim->record_count + 1;
        pawl_entry entry;
        assert_int_equal(pawl_entry_decode(&record, &entry, NULL), PAWL_OK);
        sim_entry(sim, &entry);
    }
}

void sim_expect(struct sim *sim, const char *expected)
{
    const char *found = sim->trace == NULL ? "" : sim->trace;
    if (strcmp(found, expected) != 0)
        print_error("---- expected\n%s---- found\n%s----\n", expected, found);
    assert_string_equal(found, expected);
    free(sim->trace);
    sim->trace = NULL;
    sim->trace_size = 0;
}
