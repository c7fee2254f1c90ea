/* machine.c: see machine.h. The order of things is that of worker/resident: what an activation asks to be recorded is
 * recorded before anything it started begins; then one thing happens, and the program runs again. */
#include "machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void pawl_machine_no_memory(pawl_machine *m)
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

void pawl_machine_feed(pawl_machine *m, pawl_activation *activation, const pawl_record *record)
{
    pawl_error error = {0};
    if (pawl_activation_feed(activation, record, &error) != PAWL_OK)
        pawl_machine_stop(m, PAWL_END_STUCK, error.code, "%s", error.message);
}

/* The body is the machine's. */
void pawl_machine_append(pawl_machine *m, uint32_t kind, pawl_bytes body)
{
    if (!make_room(m)) {
        pawl_machine_no_memory(m);
        return;
    }
    if (kind != PAWL_RECORD_INTENT)
        m->happening = false;
    pawl_record *record = &m->records[m->record_count];
    *record = (pawl_record){.struct_size = sizeof *record,
                            .kind = kind,
                            .sequence = m->record_count + 1,
                            .time_unix_ns = m->now,
                            .body = body};
    m->marks[m->record_count++] = (pawl_mark){.run = m->run,
                                              .run_first = m->run_first,
                                              .happened = m->history_base + m->history_count - m->happening,
                                              .script_at = m->script_at,
                                              .document = m->document,
                                              .attributes = m->attributes};
    if (wakes(kind))
        m->dirty = true;
    if (m->activation != NULL)
        pawl_machine_feed(m, m->activation, record);
}

void pawl_machine_record(pawl_machine *m, const pawl_entry *entry)
{
    pawl_bytes body;
    if (m->end != PAWL_END_NONE)
        return;
    if (pawl_entry_encode(&m->arena, entry, &body) != PAWL_OK)
        pawl_machine_no_memory(m);
    else
        pawl_machine_append(m, entry->kind, body);
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
        pawl_machine_no_memory(m);
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
    pawl_core_drop(m);
    pawl_witness_next_run(&m->witness);
    m->run++;
    m->run_first = m->record_count;
    m->stop_told = false;
    for (size_t i = 0; i < c.count && good; i++)
        pawl_machine_append(m, c.records[i].kind, c.records[i].body);
    for (size_t i = m->run_first; i + 1 < m->record_count; i++)
        m->marks[i].together = true;
    free(c.records);
    if (good)
        m->activation = pawl_core_load(m);
    else
        pawl_machine_no_memory(m);
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

/* Another attempt of the call whose end was planned. */
static bool same_but_attempt(const pawl_happening *left, const pawl_happening *right)
{
    return right->kind == PAWL_HAPPENS_CALL && right->ends && left->kind == right->kind && left->run == right->run &&
           left->number == right->number;
}

static bool is_planned(const pawl_machine *m, const pawl_happening *what)
{
    for (size_t p = m->plan_at; p < m->plan_count; p++)
        if (pawl_happening_same(&m->plan[p], what))
            return true;
    return false;
}

/* The first of what is still planned that could happen now; its place in the plan. A plan that is not strict is what
 * happened without what was done to the process here: some of it may be over, and an attempt may be another one. */
static size_t planned(const pawl_machine *m, size_t first, size_t count, size_t *ret_could)
{
    size_t last = m->plan_strict && m->plan_at < m->plan_count ? m->plan_at + 1 : m->plan_count;
    for (size_t p = m->plan_at; p < last; p++)
        for (size_t i = first; i < first + count; i++) {
            const pawl_happening *what = &m->could[i];
            if (pawl_happening_same(what, &m->plan[p]) ||
                (!m->plan_strict && same_but_attempt(what, &m->plan[p]) && !is_planned(m, what))) {
                *ret_could = i;
                return p;
            }
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
    size_t at = 0, place = planned(m, first, count, &at);
    if (place == SIZE_MAX && m->plan_strict && m->plan_at < m->plan_count) {
        pawl_machine_stop(m, PAWL_END_PLAN, "plan", "what was planned cannot happen");
        return;
    }
    if (place == SIZE_MAX)
        at = pawl_world_next(m, first, count);
    pawl_happening what = m->could[at];
    if (place != SIZE_MAX && !m->plan_strict)
        what.unix_ns = m->plan[place].unix_ns;
    m->plan_at += place == m->plan_at;
    if (what.unix_ns > m->now)
        m->now = what.unix_ns;
    what.unix_ns = m->now;
    if (note_choice(m, first, count, &what)) {
        m->happening = true;
        pawl_world_happen(m, &what);
        m->happening = false;
        m->history[m->history_count - 1].ends = !pawl_world_is_open(m, what.number);
    } else {
        pawl_machine_no_memory(m);
    }
}

void pawl_machine_run(pawl_machine *m)
{
    while (m->end == PAWL_END_NONE && m->activation != NULL) {
        if (m->dirty) {
            pawl_core_run(m);
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
                pawl_core_put_away(m);
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
    m->activation = pawl_core_create(m);
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
    m->fault = from->fault;
    for (size_t i = 0; i < count && m->end == PAWL_END_NONE; i++) {
        if (!make_room(m)) {
            pawl_machine_no_memory(m);
            break;
        }
        m->records[i] = from->records[i];
        m->marks[i] = from->marks[i];
        m->record_count++;
        m->cancel_sent |= from->records[i].kind == PAWL_RECORD_CANCEL;
    }
    if (!pawl_world_copy(m, from))
        pawl_machine_no_memory(m);
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
        m->activation = pawl_core_load(m);
    if (m->end == PAWL_END_NONE)
        pawl_world_recover(m);
    return m->end == PAWL_END_MEMORY ? PAWL_E_NOMEM : PAWL_OK;
}

void pawl_machine_finish(pawl_machine *m)
{
    pawl_core_drop(m);
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
