/* machine.c: see machine.h. The order of things is that of worker/resident: what an activation asks to be recorded is
 * recorded before anything it started begins; then one thing happens, and the program runs again. Every run of the
 * program is compared with the one before: it must do again all that it did. */
#include "machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES_MAX ((size_t)4 << 20)
#define COMMANDS_MAX    ((size_t)10000)
#define KEPT_FROM       UINT64_C(64)    /* commands, with PAWL_MACHINE_LONG */
#define JOURNAL_LONG    UINT64_C(10000) /* records */

/* ---- small things ---- */

bool pawl_happening_same(const pawl_happening *left, const pawl_happening *right)
{
    return left->kind == right->kind && left->run == right->run && left->attempt == right->attempt &&
           left->number == right->number;
}

void pawl_machine_stop(pawl_machine *m, uint32_t end, const char *code, const char *format, ...)
{
    char text[2048];
    if (m->end != PAWL_END_NONE)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m->end = end;
    snprintf(m->code, sizeof m->code, "%s", code);
    pawl_tester_text_reset(&m->reason);
    pawl_tester_text_bytes(&m->reason, text, strlen(text));
}

static void no_memory(pawl_machine *m)
{
    pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for the process under test");
}

void pawl_machine_trace(pawl_machine *m, uint64_t ordinal, const char *what, pawl_bytes name, pawl_bytes value)
{
    if ((m->mode & PAWL_MACHINE_TRACED) == 0)
        return;
    uint64_t ms = (m->now - m->subject->script->start_unix_ns) / 1000000;
    pawl_tester_text_add(&m->trace, "%9" PRIu64 ".%03" PRIu64 " s  ", ms / 1000, ms % 1000);
    if (ordinal != 0)
        pawl_tester_text_add(&m->trace, "#%-4" PRIu64 " ", ordinal);
    else
        pawl_tester_text_add(&m->trace, "      ");
    pawl_tester_text_add(&m->trace, "%-9s", what);
    if (name.size > 0) {
        pawl_tester_text_bytes(&m->trace, " ", 1);
        pawl_tester_text_value(&m->trace, name);
    }
    if (value.data != NULL) {
        pawl_tester_text_bytes(&m->trace, "  ", 2);
        pawl_tester_text_value(&m->trace, value);
    }
    pawl_tester_text_bytes(&m->trace, "\n", 1);
}

/* ---- the journal ---- */

static bool wakes(uint32_t kind)
{
    return kind == PAWL_RECORD_STARTED || kind == PAWL_RECORD_STEP || kind == PAWL_RECORD_FIRED ||
           kind == PAWL_RECORD_SIGNAL || kind == PAWL_RECORD_UPDATE || kind == PAWL_RECORD_CANCEL ||
           kind == PAWL_RECORD_CHILD;
}

static bool make_room(pawl_machine *m)
{
    if (m->record_count < m->record_room)
        return true;
    size_t room = m->record_room == 0 ? 64 : m->record_room * 2;
    pawl_record *records = realloc(m->records, room * sizeof *records);
    if (records != NULL)
        m->records = records;
    pawl_mark *marks = realloc(m->marks, room * sizeof *marks);
    if (marks != NULL)
        m->marks = marks;
    if (records == NULL || marks == NULL)
        return false;
    m->record_room = room;
    return true;
}

static void feed(pawl_machine *m, pawl_activation *activation, const pawl_record *record)
{
    pawl_error error = {0};
    if (pawl_activation_feed(activation, record, &error) != PAWL_OK)
        pawl_machine_stop(m, PAWL_END_STUCK, error.code, "%s", error.message);
}

/* The body is the machine's. */
static void append(pawl_machine *m, uint32_t kind, pawl_bytes body)
{
    if (!make_room(m)) {
        no_memory(m);
        return;
    }
    pawl_record *record = &m->records[m->record_count];
    *record = (pawl_record){.struct_size = sizeof *record,
                            .kind = kind,
                            .sequence = m->record_count + 1,
                            .time_unix_ns = m->now,
                            .body = body};
    m->marks[m->record_count++] = (pawl_mark){.run = m->run,
                                              .run_first = m->run_first,
                                              .happened = m->history_base + m->history_count,
                                              .script_at = m->script_at,
                                              .document = m->document,
                                              .attributes = m->attributes};
    if (wakes(kind))
        m->dirty = true;
    if (m->activation != NULL)
        feed(m, m->activation, record);
}

void pawl_machine_record(pawl_machine *m, const pawl_entry *entry)
{
    pawl_bytes body;
    if (m->end != PAWL_END_NONE)
        return;
    if (pawl_entry_encode(&m->arena, entry, &body) != PAWL_OK)
        no_memory(m);
    else
        append(m, entry->kind, body);
}

/* ---- the core ---- */

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

static pawl_activation *make_activation(pawl_machine *m)
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
        no_memory(m);
    return made;
}

static void drop_activation(pawl_machine *m)
{
    pawl_witness *outer = pawl_witness_enter(&m->witness); /* a program that is kept returns now */
    m->activation = pawl_activation_destroy(m->activation);
    (void)pawl_witness_enter(outer);
}

/* From the journal of this run. */
static pawl_activation *load(pawl_machine *m)
{
    pawl_activation *made = make_activation(m);
    for (size_t i = m->run_first; i < m->record_count && made != NULL && m->end == PAWL_END_NONE; i++)
        feed(m, made, &m->records[i]);
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
        no_memory(m);
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
    pawl_activation *fresh = m->end == PAWL_END_NONE ? load(m) : NULL;
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
                no_memory(m);
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
            no_memory(m);
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
    if (count > 0 && copies == NULL)
        no_memory(m);
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        copies[i] = m->result.local[i];
        if (!pawl_arena_copy(&m->arena, m->result.local[i].body, &copies[i].body))
            no_memory(m);
    }
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        copies[i].sequence = 1; /* only to be read */
        trace_local(m, &copies[i]);
        append(m, copies[i].kind, copies[i].body);
    }
}

static void run_program(pawl_machine *m)
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

/* ---- ends ---- */

static void end_of_run(pawl_machine *m)
{
    pawl_tester_text_add(&m->did, "run %" PRIu32 "\n", m->run);
    pawl_tester_text_bytes(&m->did, pawl_tester_text_of(&m->witness.log), m->witness.log.size);
}

static bool copy_failure(pawl_arena *arena, const pawl_failure *from, pawl_failure *to)
{
    *to = *from;
    return pawl_arena_copy(arena, from->code, &to->code) && pawl_arena_copy(arena, from->message, &to->message) &&
           pawl_arena_copy(arena, from->detail_json, &to->detail_json);
}

static void end_process(pawl_machine *m)
{
    m->status = m->result.status;
    if (!pawl_arena_copy(&m->arena, m->result.output, &m->output) ||
        !copy_failure(&m->arena, &m->result.failure, &m->failure)) {
        no_memory(m);
        return;
    }
    pawl_world_end(m);
    end_of_run(m);
    pawl_entry entry = {.kind = PAWL_RECORD_ENDED,
                        .status = m->status,
                        .failed = m->status != PAWL_COMPLETED,
                        .value = m->output,
                        .failure = m->failure};
    pawl_machine_record(m, &entry);
    if (m->end == PAWL_END_NONE)
        m->end = PAWL_END_ENDED;
}

struct carried {
    pawl_machine *m;
    pawl_arena arena;
    pawl_record *records;
    size_t count, room;
};

static pawl_status carry(void *context, const pawl_entry *entry)
{
    struct carried *c = context;
    if (c->count == c->room) {
        size_t room = c->room == 0 ? 8 : c->room * 2;
        pawl_record *records = realloc(c->records, room * sizeof *records);
        if (records == NULL)
            return PAWL_E_NOMEM;
        c->records = records;
        c->room = room;
    }
    c->records[c->count] = (pawl_record){.kind = entry->kind};
    return pawl_entry_encode(&c->m->arena, entry, &c->records[c->count++].body);
}

/* The next run: its input, and what goes over. */
static void begin_next_run(pawl_machine *m)
{
    struct carried c = {.m = m};
    const pawl_entry started = {.kind = PAWL_RECORD_STARTED, .value = m->result.output};
    pawl_machine_trace(m, 0, "new run", (pawl_bytes){"", 0}, m->result.output);
    bool good = carry(&c, &started) == PAWL_OK && pawl_activation_carry(m->activation, carry, &c) == PAWL_OK;
    pawl_world_end(m);
    end_of_run(m);
    drop_activation(m);
    m->run++;
    m->run_first = m->record_count;
    m->stop_told = false;
    for (size_t i = 0; i < c.count && good; i++)
        append(m, c.records[i].kind, c.records[i].body);
    for (size_t i = m->run_first; i + 1 < m->record_count; i++)
        m->marks[i].together = true;
    free(c.records);
    if (good)
        m->activation = load(m);
    else
        no_memory(m);
    m->dirty = true;
}

/* ---- the loop ---- */

static bool note_choice(pawl_machine *m, size_t first, size_t count, const pawl_happening *what)
{
    if (m->history_count == m->history_room) {
        size_t room = m->history_room == 0 ? 32 : m->history_room * 2;
        pawl_happening *history = realloc(m->history, room * sizeof *history);
        if (history != NULL)
            m->history = history;
        pawl_choice_point *choices = realloc(m->choices, room * sizeof *choices);
        if (choices != NULL)
            m->choices = choices;
        if (history == NULL || choices == NULL)
            return false;
        m->history_room = room;
    }
    m->history[m->history_count] = *what;
    m->choices[m->history_count++] = (pawl_choice_point){first, count};
    return true;
}

/* The place of what was planned, among what could happen; SIZE_MAX: it cannot. */
static size_t planned(pawl_machine *m, size_t first, size_t count)
{
    while (m->plan_at < m->plan_count) {
        for (size_t i = first; i < first + count; i++)
            if (pawl_happening_same(&m->could[i], &m->plan[m->plan_at]))
                return i;
        if (m->plan_strict)
            return SIZE_MAX;
        m->plan_at++; /* it has happened already, or never will: what was lost goes another way */
    }
    return SIZE_MAX;
}

static void ask_to_stop(pawl_machine *m)
{
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .value = {"asked to stop by the test", 25}};
    pawl_machine_trace(m, 0, "cancel", entry.value, (pawl_bytes){NULL, 0});
    m->cancel_sent = true;
    pawl_machine_record(m, &entry);
}

static void wait_for_nothing(pawl_machine *m)
{
    pawl_machine_stop(m, PAWL_END_WAITS, "waits", "it waits for %.*s, and nothing more happens in the script",
                      (int)m->result.waits.size, (const char *)m->result.waits.data);
}

/* One thing happens. */
static void go_on(pawl_machine *m)
{
    size_t first = 0, count = pawl_world_could(m, &first);
    if (m->end != PAWL_END_NONE)
        return;
    if (m->cancel_at != 0 && !m->cancel_sent && m->history_base + m->history_count + 1 >= m->cancel_at) {
        ask_to_stop(m);
        return;
    }
    if (count == 0) {
        wait_for_nothing(m);
        return;
    }
    if (m->history_count >= m->subject->events_max) {
        pawl_machine_stop(m, PAWL_END_ENDLESS, "endless", "after %" PRIu64 " events it still goes on",
                          m->subject->events_max);
        return;
    }
    size_t at = planned(m, first, count);
    bool by_plan = at != SIZE_MAX;
    if (!by_plan && m->plan_at < m->plan_count) {
        pawl_machine_stop(m, PAWL_END_PLAN, "plan", "what was planned cannot happen");
        return;
    }
    if (!by_plan)
        at = pawl_world_next(m, first, count);
    pawl_happening what = m->could[at];
    if (by_plan && m->plan[m->plan_at].unix_ns > what.unix_ns)
        what.unix_ns = m->plan[m->plan_at].unix_ns;
    m->plan_at += by_plan;
    if (what.unix_ns > m->now)
        m->now = what.unix_ns;
    what.unix_ns = m->now;
    if (note_choice(m, first, count, &what))
        pawl_world_happen(m, &what);
    else
        no_memory(m);
}

static void put_away(pawl_machine *m)
{
    drop_activation(m);
    m->activation = load(m);
    if (m->activation == NULL || m->end != PAWL_END_NONE)
        return;
    activate(m, m->activation, &m->witness, &m->result);
    compare_with_before(m);
}

void pawl_machine_run(pawl_machine *m)
{
    while (m->end == PAWL_END_NONE && m->activation != NULL) {
        if (m->dirty) {
            run_program(m);
            continue;
        }
        if (m->result.kind == PAWL_RUN_ENDED) {
            end_process(m);
        } else if (m->result.kind == PAWL_RUN_CONTINUED) {
            begin_next_run(m);
        } else {
            pawl_world_look(m);
            if (m->dirty || m->end != PAWL_END_NONE)
                continue;
            if ((m->mode & PAWL_MACHINE_DROPPED) != 0)
                put_away(m);
            if (m->end == PAWL_END_NONE && !m->dirty)
                go_on(m);
        }
    }
}

/* ---- life ---- */

pawl_status pawl_machine_init(pawl_machine *m, const pawl_tester_subject *subject, uint32_t mode)
{
    *m = (pawl_machine){.subject = subject, .mode = mode, .run = 1, .now = subject->script->start_unix_ns};
    pawl_witness_init(&m->witness, subject->program);
    const pawl_entry started = {.kind = PAWL_RECORD_STARTED, .value = subject->input};
    pawl_machine_trace(m, 0, "start", subject->type, subject->input);
    m->activation = make_activation(m);
    if (m->activation != NULL)
        pawl_machine_record(m, &started);
    return m->end == PAWL_END_MEMORY ? PAWL_E_NOMEM : PAWL_OK;
}

pawl_status pawl_machine_init_after(pawl_machine *m, const pawl_machine *from, size_t count, uint32_t mode)
{
    const pawl_mark *mark = &from->marks[count - 1];
    *m = (pawl_machine){.subject = from->subject, .mode = mode, .run = mark->run, .run_first = mark->run_first};
    pawl_witness_init(&m->witness, from->subject->program);
    m->now = from->records[count - 1].time_unix_ns;
    m->script_at = mark->script_at;
    m->document = mark->document;
    m->attributes = mark->attributes;
    m->plan = from->history;
    m->plan_count = from->history_count;
    m->plan_at = mark->happened;
    m->history_base = mark->happened;
    m->cancel_at = from->cancel_at;
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        if (!make_room(m)) {
            no_memory(m);
            break;
        }
        m->records[i] = from->records[i];
        m->marks[i] = from->marks[i];
        m->record_count++;
        m->cancel_sent |= from->records[i].kind == PAWL_RECORD_CANCEL;
    }
    if (!pawl_world_copy(m, from))
        no_memory(m);
    if (mark->run > 1) { /* what the program did in runs that were over by then */
        char end[32];
        snprintf(end, sizeof end, "run %" PRIu32 "\n", mark->run);
        const char *whole = pawl_tester_text_of(&from->did), *cut = strstr(whole, end);
        pawl_tester_text_bytes(&m->did, whole, cut == NULL ? from->did.size : (size_t)(cut - whole));
    }
    m->dirty = true;
    pawl_machine_trace(m, 0, "lost", (pawl_bytes){"its worker is lost; another one reads the journal", 49},
                       (pawl_bytes){NULL, 0});
    if (m->end == PAWL_END_NONE)
        m->activation = load(m);
    if (m->end == PAWL_END_NONE)
        pawl_world_recover(m);
    return m->end == PAWL_END_MEMORY ? PAWL_E_NOMEM : PAWL_OK;
}

void pawl_machine_finish(pawl_machine *m)
{
    drop_activation(m);
    pawl_world_finish(m);
    pawl_witness_finish(&m->witness);
    free(m->records);
    free(m->marks);
    free(m->history);
    free(m->choices);
    free(m->could);
    pawl_tester_text *const texts[] = {&m->before, &m->trace, &m->did, &m->expected, &m->found, &m->reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pawl_tester_text_finish(texts[i]);
    pawl_arena_finish(&m->arena);
    *m = (pawl_machine){0};
}

/* ---- what it came to ---- */

void pawl_machine_say_end(const pawl_machine *m, pawl_tester_text *ret)
{
    switch (m->end) {
    case PAWL_END_ENDED:
        if (m->status == PAWL_COMPLETED) {
            pawl_tester_text_add(ret, "completed: ");
            pawl_tester_text_value(ret, m->output);
        } else {
            pawl_tester_text_add(ret, "%s with ", m->status == PAWL_CANCELLED ? "cancelled" : "failed");
            pawl_tester_text_value(ret, m->failure.code);
            pawl_tester_text_add(ret, ": ");
            pawl_tester_text_value(ret, m->failure.message);
        }
        break;
    case PAWL_END_WAITS:
        pawl_tester_text_add(ret, "still waiting: %s", pawl_tester_text_of(&m->reason));
        break;
    default:
        pawl_tester_text_add(ret, "stuck with %s: %s", m->code, pawl_tester_text_of(&m->reason));
    }
}

static void say_step(const pawl_entry *entry, uint32_t run, pawl_tester_text *ret)
{
    pawl_tester_text_add(ret, "  %" PRIu32 "/%" PRIu64 " ", run, entry->ordinal);
    pawl_tester_text_value(ret, entry->name);
    if (entry->failed) {
        pawl_tester_text_add(ret, " failed: ");
        pawl_tester_text_value(ret, entry->failure.code);
    } else {
        pawl_tester_text_add(ret, " = ");
        pawl_tester_text_value(ret, entry->value);
    }
    pawl_tester_text_bytes(ret, "\n", 1);
}

/* Steps in the order of the program, not of their ends. */
static int by_ordinal(const void *left, const void *right)
{
    const pawl_entry *a = left, *b = right;
    if (a->sequence != b->sequence) /* the run, here */
        return a->sequence < b->sequence ? -1 : 1;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static void say_steps(const pawl_machine *m, pawl_tester_text *ret)
{
    pawl_entry *steps = calloc(m->record_count + 1, sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < m->record_count && steps != NULL; i++)
        if (m->records[i].kind == PAWL_RECORD_STEP && pawl_entry_decode(&m->records[i], &steps[count], NULL) == PAWL_OK)
            steps[count++].sequence = m->marks[i].run;
    if (count > 1)
        qsort(steps, count, sizeof *steps, by_ordinal);
    pawl_tester_text_add(ret, "steps, as recorded\n");
    for (size_t i = 0; i < count; i++)
        say_step(&steps[i], (uint32_t)steps[i].sequence, ret);
    free(steps);
}

void pawl_machine_summary(const pawl_machine *m, pawl_tester_text *ret)
{
    pawl_tester_text_bytes(ret, pawl_tester_text_of(&m->did), m->did.size);
    if (m->end != PAWL_END_ENDED) {
        pawl_tester_text_add(ret, "run %" PRIu32 "\n", m->run);
        pawl_tester_text_bytes(ret, pawl_tester_text_of(&m->witness.log), m->witness.log.size);
    }
    say_steps(m, ret);
    if (m->document.size > 0) {
        pawl_tester_text_add(ret, "status document  ");
        pawl_tester_text_value(ret, m->document);
        pawl_tester_text_add(ret, "\n");
    }
    if (m->attributes.size > 0) {
        pawl_tester_text_add(ret, "search attributes  ");
        pawl_tester_text_value(ret, m->attributes);
        pawl_tester_text_add(ret, "\n");
    }
    pawl_machine_say_end(m, ret);
    pawl_tester_text_add(ret, "\n");
}
