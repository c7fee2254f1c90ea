/* core.c: the program of a process under test, run over the deterministic core and watched. Every run is compared with
 * the one before, and, where that is asked for, with further ones of its own: it must do again all that it did. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES_MAX ((size_t)4 << 20)
#define COMMANDS_MAX    ((size_t)10000)
#define KEPT_FROM       UINT64_C(64)    /* commands, with PAWL_MACHINE_LONG */
#define JOURNAL_LONG    UINT64_C(10000) /* records */

static void log_line(void *context, pawl_bytes process, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)process;
    (void)level;
    pawl_machine_trace(context, 0, "log", message, fields_json.size == 0 ? (pawl_bytes){NULL, 0} : fields_json);
}

/* From how many commands on the program is kept where it waits. */
static uint64_t keep_from(const pawl_machine *m)
{
    if ((m->mode & PAWL_MACHINE_KEPT) != 0)
        return 0;
    return (m->mode & PAWL_MACHINE_LONG) != 0 ? KEPT_FROM : UINT64_MAX;
}

pawl_activation *pawl_core_create(pawl_machine *m)
{
    const pawl_tester_subject *s = m->subject;
    const pawl_activation_config config = {
        .id = s->id,
        .session = s->session,
        .type = s->type,
        .revision = s->revision,
        .run = m->run,
        .program = pawl_witness_table(),
        .value_bytes_max = VALUE_BYTES_MAX,
        .commands_max = COMMANDS_MAX,
        .warn_records = s->script->continue_after != 0 ? s->script->continue_after : JOURNAL_LONG,
        .keep_from = keep_from(m),
        .schema = &s->script->attributes,
        .log = {(m->mode & PAWL_MACHINE_TRACED) != 0 ? log_line : NULL, m},
    };
    pawl_activation *made = NULL;
    if (pawl_activation_create(&config, &made, NULL) != PAWL_OK)
        pawl_machine_no_memory(m);
    return made;
}

void pawl_core_drop(pawl_machine *m)
{
    pawl_witness *outer = pawl_witness_enter(&m->witness); /* a program that is kept returns now */
    m->activation = pawl_activation_destroy(m->activation);
    (void)pawl_witness_enter(outer);
}

/* From the journal of this run. */
pawl_activation *pawl_core_load(pawl_machine *m)
{
    pawl_activation *made = pawl_core_create(m);
    for (size_t i = m->run_first; i < m->record_count && made != NULL && m->end == PAWL_END_NONE; i++)
        pawl_machine_feed(m, made, &m->records[i]);
    return made;
}

static void activate(pawl_machine *m, pawl_activation *activation, pawl_witness *witness, pawl_run_result *ret)
{
    if (m->subject->beat != NULL)
        m->subject->beat(m->subject->beat_context);
    pawl_witness *outer = pawl_witness_enter(witness);
    pawl_traps_enter(m->subject->traps, m->now);
    pawl_activation_run(activation, m->now, ret);
    pawl_traps_leave(m->subject->traps);
    (void)pawl_witness_enter(outer);
    if (witness->log.no_memory)
        pawl_machine_no_memory(m);
}

static bool same_bytes(pawl_bytes left, pawl_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static bool same_text(const pawl_tester_text *left, const pawl_tester_text *right)
{
    return left->size == right->size && (left->size == 0 || memcmp(left->data, right->data, left->size) == 0);
}

static bool begins_with(const pawl_tester_text *whole, const pawl_tester_text *beginning)
{
    return beginning->size <= whole->size &&
           (beginning->size == 0 || memcmp(whole->data, beginning->data, beginning->size) == 0);
}

static void copy_text(pawl_tester_text *to, const pawl_tester_text *from)
{
    pawl_tester_text_reset(to);
    pawl_tester_text_bytes(to, pawl_tester_text_of(from), from->size);
}

static void differs(pawl_machine *m, const pawl_tester_text *expected, const pawl_tester_text *found, const char *why)
{
    if (m->end == PAWL_END_DIFFERS)
        return;
    copy_text(&m->expected, expected);
    copy_text(&m->found, found);
    pawl_machine_stop(m, PAWL_END_DIFFERS, "nondeterminism", "%s", why);
}

/* What a run gave besides its log. */
static void say_result(const pawl_run_result *result, pawl_tester_text *ret)
{
    static const char *const kinds[] = {"", "waits for", "ends with", "stuck:", "goes on as a new run with"};
    const pawl_bytes what[] = {{"", 0}, result->waits, result->output, result->reason, result->output};
    uint32_t kind = result->kind < 5 ? result->kind : 0;
    pawl_tester_text_add(ret, "%s ", kinds[kind]);
    pawl_tester_text_value(ret, what[kind]);
    if (result->kind == PAWL_RUN_ENDED && result->status != PAWL_COMPLETED) {
        pawl_tester_text_add(ret, " ");
        pawl_tester_text_value(ret, result->failure.code);
        pawl_tester_text_bytes(ret, " ", 1);
        pawl_tester_text_value(ret, result->failure.message);
    }
    pawl_tester_text_bytes(ret, "\n", 1);
}

static void compare_runs(pawl_machine *m, pawl_tester_text *first, pawl_witness *witness, const pawl_run_result *again,
                         const char *why)
{
    pawl_tester_text second = {0};
    pawl_tester_text_bytes(&second, pawl_tester_text_of(&witness->log), witness->log.size);
    say_result(again, &second);
    if (!same_text(first, &second))
        differs(m, first, &second, why);
    pawl_tester_text_finish(&second);
}

/* The activation that has just run, once more, and once more from the journal: in another place in memory, at another
 * time of day. */
static void run_again(pawl_machine *m)
{
    pawl_tester_text first = {0};
    pawl_witness other;
    pawl_run_result again;
    pawl_tester_text_bytes(&first, pawl_tester_text_of(&m->witness.log), m->witness.log.size);
    say_result(&m->result, &first);
    pawl_traps_disturb(m->subject->traps, 1);
    activate(m, m->activation, &m->witness, &m->result);
    compare_runs(m, &first, &m->witness, &m->result, "the same activation, run a second time, did something else");
    pawl_activation *fresh = m->end == PAWL_END_NONE ? pawl_core_load(m) : NULL;
    if (fresh != NULL && m->end == PAWL_END_NONE) {
        pawl_witness_init(&other, m->subject->program);
        pawl_traps_disturb(m->subject->traps, 2);
        activate(m, fresh, &other, &again);
        compare_runs(m, &first, &other, &again, "the same activation, run by another worker, did something else");
        pawl_witness_finish(&other);
    }
    pawl_traps_disturb(m->subject->traps, 0);
    pawl_activation_destroy(fresh);
    pawl_tester_text_finish(&first);
}

/* What it did in the activation before, it must have done again. */
static void compare_with_before(pawl_machine *m)
{
    bool comparable = m->before_run == m->run && m->end == PAWL_END_NONE;
    if (comparable && m->result.kind == PAWL_RUN_STUCK) {
        copy_text(&m->expected, &m->before);
        copy_text(&m->found, &m->witness.log);
    } else if (comparable && !begins_with(&m->witness.log, &m->before)) {
        differs(m, &m->before, &m->witness.log,
                "the program did not do again what it had done in the activation before");
    }
    copy_text(&m->before, &m->witness.log);
    m->before_run = m->run;
}

static void take_document(pawl_machine *m)
{
    if (m->result.document != NULL) {
        if (!same_bytes(m->document, *m->result.document)) {
            pawl_machine_trace(m, 0, "status", (pawl_bytes){"", 0}, *m->result.document);
            if (!pawl_arena_copy(&m->arena, *m->result.document, &m->document))
                pawl_machine_no_memory(m);
        }
        pawl_activation_document_stored(m->activation);
    }
    if (m->result.attributes != NULL) {
        pawl_machine_trace(m, 0, "search", (pawl_bytes){"attributes", 10}, *m->result.attributes);
        json_t *all = json_loadb(m->attributes.data, m->attributes.size, 0, NULL);
        json_t *news = json_loadb(m->result.attributes->data, m->result.attributes->size, 0, NULL);
        all = all == NULL ? json_object() : all;
        (void)json_object_update(all, news);
        char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
        if (text == NULL || !pawl_arena_copy(&m->arena, (pawl_bytes){text, strlen(text)}, &m->attributes))
            pawl_machine_no_memory(m);
        free(text);
        json_decref(all);
        json_decref(news);
        pawl_activation_attributes_stored(m->activation);
    }
}

static void trace_local(pawl_machine *m, const pawl_record *record)
{
    pawl_entry entry;
    if ((m->mode & PAWL_MACHINE_TRACED) == 0 || pawl_entry_decode(record, &entry, NULL) != PAWL_OK)
        return;
    switch (entry.kind) {
    case PAWL_RECORD_ROLLBACK:
        pawl_machine_trace(m, entry.ordinal, "to undo", entry.name, entry.value);
        break;
    case PAWL_RECORD_MARKER:
        pawl_machine_trace(m, 0, "version", entry.name, (pawl_bytes){NULL, 0});
        break;
    case PAWL_RECORD_COMPENSATING:
        pawl_machine_trace(m, 0, "undoes", entry.failure.code, entry.failure.message);
        break;
    case PAWL_RECORD_REPLY:
        pawl_machine_trace(m, entry.ordinal, entry.failed ? "rejects" : "answers", entry.name,
                           entry.failed ? entry.failure.code : entry.value);
        break;
    case PAWL_RECORD_NOW:
        pawl_machine_trace(m, entry.ordinal, "clock", (pawl_bytes){"", 0}, (pawl_bytes){NULL, 0});
        break;
    default:
        break;
    }
}

/* NOW, MARKER, ROLLBACK and so on, before anything begins. */
static void record_local(pawl_machine *m)
{
    size_t count = m->result.local_count;
    pawl_record *copies = count == 0 ? NULL : pawl_arena_alloc(&m->arena, count * sizeof *copies);
    if (copies == NULL) {
        if (count > 0)
            pawl_machine_no_memory(m);
        return;
    }
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        copies[i] = m->result.local[i];
        if (!pawl_arena_copy(&m->arena, m->result.local[i].body, &copies[i].body))
            pawl_machine_no_memory(m);
    }
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        copies[i].sequence = 1; /* only to be read */
        trace_local(m, &copies[i]);
        pawl_machine_append(m, copies[i].kind, copies[i].body);
    }
}

void pawl_core_run(pawl_machine *m)
{
    m->dirty = false;
    uint64_t from_the_top = m->witness.activations;
    activate(m, m->activation, &m->witness, &m->result);
    bool undoing = pawl_activation_compensating(m->activation);
    bool went_on = m->witness.activations == from_the_top; /* where it was kept: what it did before stands */
    if (m->end == PAWL_END_NONE && !went_on)
        compare_with_before(m);
    if ((m->mode & PAWL_MACHINE_TWICE) != 0 && m->end == PAWL_END_NONE && !undoing && m->result.kind != PAWL_RUN_STUCK)
        run_again(m);
    if (m->end == PAWL_END_NONE && m->result.kind == PAWL_RUN_STUCK) {
        char code[64];
        snprintf(code, sizeof code, "%.*s", (int)m->result.reason_code.size, (const char *)m->result.reason_code.data);
        pawl_machine_stop(m, PAWL_END_STUCK, code, "%.*s", (int)m->result.reason.size,
                          (const char *)m->result.reason.data);
    }
    if (m->end == PAWL_END_NONE) {
        take_document(m);
        record_local(m);
    }
}

void pawl_core_put_away(pawl_machine *m)
{
    pawl_core_drop(m);
    m->activation = pawl_core_load(m);
    if (m->activation == NULL || m->end != PAWL_END_NONE)
        return;
    activate(m, m->activation, &m->witness, &m->result);
    compare_with_before(m);
}
