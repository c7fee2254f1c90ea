/* witness.c: see witness.h. */
#include "witness.h"

#include "tests/integration/worker/lab_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* What the call that this thread is inside of began with. */
static _Thread_local struct {
    uint64_t order, mono_ns, granted;
} inside;

static fleet_record record_of(const pawl_record *record)
{
    fleet_record made = {.sequence = record->sequence, .kind = record->kind, .time_unix_ns = record->time_unix_ns};
    pawl_entry e;
    if (pawl_entry_decode(record, &e, NULL) != PAWL_OK)
        return made;
    made.ordinal = e.ordinal;
    made.attempt = e.attempt;
    made.status = e.status;
    made.due_unix_ns = e.due_unix_ns;
    made.failed = e.failed;
    snprintf(made.name, sizeof made.name, "%.*s", (int)e.name.size, e.name.size == 0 ? "" : (const char *)e.name.data);
    snprintf(made.value, sizeof made.value, "%.*s", (int)e.value.size,
             e.value.size == 0 ? "" : (const char *)e.value.data);
    return made;
}

/* ---- while it runs ---- */

static void add(witness *w, const unruly_sight *sight, fleet_event event)
{
    event.order = lab_order(w->own);
    event.worker = sight->who;
    fleet_add_event(&w->history, &event);
}

static void add_known(witness *w, const unruly_sight *sight, uint64_t number, uint64_t token, const pawl_record *record,
                      uint64_t sequence)
{
    add(w, sight,
        (fleet_event){.kind = FLEET_KNOWN,
                      .number = number,
                      .token = token,
                      .sequence = sequence,
                      .record_kind = record->kind,
                      .ordinal = record_of(record).ordinal});
}

static const pawl_commit *commit_of(const pawl_registry_op *op)
{
    return op->kind < PAWL_OP_APPEND || op->kind > PAWL_OP_PARK ? NULL : op->request;
}

static void saw_forward(witness *w, const unruly_sight *sight)
{
    const pawl_commit *commit = commit_of(sight->op);
    if (commit != NULL)
        add(w, sight,
            (fleet_event){
                .kind = FLEET_HANDED, .number = commit->number, .token = commit->token, .op = sight->op->kind});
}

static void saw_answer(witness *w, const unruly_sight *sight)
{
    const pawl_registry_op *op = sight->op;
    const pawl_commit *commit = commit_of(op);
    if (commit == NULL)
        return;
    bool wrote = op->status == PAWL_OK && (op->kind == PAWL_OP_SUSPEND || (op->flags & PAWL_RESULT_MORE) == 0);
    add(w, sight,
        (fleet_event){.kind = FLEET_WROTE,
                      .number = commit->number,
                      .token = commit->token,
                      .op = op->kind,
                      .status = op->status,
                      .flags = op->flags,
                      .sequence = op->sequence,
                      .count = wrote ? commit->record_count : 0});
    for (size_t i = 0; wrote && i < commit->record_count; i++)
        add_known(w, sight, commit->number, commit->token, &commit->records[i], op->sequence + i);
}

static void saw_session(witness *w, const unruly_sight *sight)
{
    fleet_event event = {.session = sight->session, .mono_ns = inside.mono_ns, .ttl_ns = sight->ttl_ns};
    event.kind = sight->kind == UNRULY_SAW_OPEN ? FLEET_OPENED : FLEET_BEAT;
    if (sight->kind == UNRULY_SAW_OPEN || sight->status == PAWL_OK)
        add(w, sight, event);
}

static void saw_claim(witness *w, const unruly_sight *sight)
{
    fleet_event event = {.session = sight->session,
                         .number = sight->number,
                         .token = sight->token,
                         .head = sight->head,
                         .begun = inside.order};
    if (sight->kind == UNRULY_SAW_GRANT) {
        event.kind = FLEET_GRANTED;
        event.mono_ns = lab_store_mono_ns(w->own);
        inside.granted++;
    } else {
        event.kind = FLEET_CLAIMED;
        event.limit = sight->count;
        event.count = inside.granted;
    }
    add(w, sight, event);
}

static void begin_call(witness *w)
{
    inside.order = lab_order(w->own);
    inside.mono_ns = lab_store_mono_ns(w->own);
    inside.granted = 0;
}

static void saw(const unruly_observer *observer, const unruly_sight *sight)
{
    witness *w = (witness *)(uintptr_t)observer;
    fleet_event event = {.session = sight->session, .number = sight->number, .token = sight->token};
    switch (sight->kind) {
    case UNRULY_SAW_FORWARD:
        saw_forward(w, sight);
        break;
    case UNRULY_SAW_ANSWER:
        saw_answer(w, sight);
        break;
    case UNRULY_SAW_BEATING:
    case UNRULY_SAW_CLAIMING:
        begin_call(w);
        break;
    case UNRULY_SAW_OPEN:
    case UNRULY_SAW_BEAT:
        saw_session(w, sight);
        break;
    case UNRULY_SAW_GRANT:
    case UNRULY_SAW_CLAIMED:
        saw_claim(w, sight);
        break;
    case UNRULY_SAW_CLOSING:
    case UNRULY_SAW_CLOSE:
        event.kind = sight->kind == UNRULY_SAW_CLOSING ? FLEET_CLOSING : FLEET_CLOSED;
        add(w, sight, event);
        break;
    case UNRULY_SAW_RELEASING:
        begin_call(w);
        event.kind = FLEET_RELEASING;
        add(w, sight, event);
        break;
    case UNRULY_SAW_RELEASE:
        event.kind = FLEET_RELEASED;
        event.begun = inside.order;
        if (sight->status == PAWL_OK)
            add(w, sight, event);
        break;
    case UNRULY_SAW_RECORD:
        event.kind = FLEET_READ;
        if (sight->record->sequence == 1)
            add(w, sight, event);
        if (sight->record->kind == PAWL_RECORD_STEP || sight->record->kind == PAWL_RECORD_ENDED)
            add_known(w, sight, sight->number, 0, sight->record, sight->record->sequence);
        break;
    default:
        break;
    }
}

void witness_init(witness *w, lab *own)
{
    w->observer.saw = saw;
    w->own = own;
    fleet_history_init(&w->history);
    lab_observe(own, &w->observer);
}

void witness_finish(witness *w)
{
    fleet_history_finish(&w->history);
}

/* ---- at the end ---- */

static int32_t take_record(void *context, const pawl_record *record)
{
    fleet_record made = record_of(record);
    fleet_add_record(context, &made);
    return 0;
}

pawl_status witness_read_journal(lab *own, uint64_t number, fleet_process *ret)
{
    return own->registry.table.journal(own->registry.store, number, 1, 0, take_record, ret, NULL);
}

typedef struct loading {
    witness *w;
    uint32_t (*traits_of)(const char *id);
} loading;

static int32_t take_row(void *context, const pawl_process_row *row)
{
    loading *l = context;
    fleet_process *p = fleet_process_of(&l->w->history, row->number);
    p->head = row->head;
    p->token = row->token;
    p->status = row->status;
    p->external = row->external != 0;
    p->cancelled = row->cancelled != 0;
    snprintf(p->id, sizeof p->id, "%.*s", (int)row->id.size, (const char *)row->id.data);
    snprintf(p->reason_code, sizeof p->reason_code, "%.*s", (int)row->reason_code.size,
             row->reason_code.size == 0 ? "" : (const char *)row->reason_code.data);
    p->traits = l->traits_of(p->id);
    return 0;
}

static uint32_t effect_index(const fleet_history *h, const char *name)
{
    uint32_t i = 0;
    while (i < h->effect_count && strcmp(h->effects[i].name, name) != 0)
        i++;
    return i;
}

static uint64_t number_of(const fleet_history *h, const char *id, size_t size)
{
    for (size_t i = 0; i < h->process_count; i++)
        if (strlen(h->processes[i].id) == size && memcmp(h->processes[i].id, id, size) == 0)
            return h->processes[i].number;
    return 0;
}

static void load_executions(witness *w)
{
    lab *own = w->own;
    fleet_history *h = &w->history;
    lab_lock(own);
    for (size_t i = 0; i < own->effect_count; i++) {
        const lab_effect *from = &own->effects[i];
        fleet_effect *to = &h->effects[h->effect_count++];
        *to = (fleet_effect){.outcome = from->outcome == 0 ? PAWL_OUTCOME_IDEMPOTENT : from->outcome,
                             .limit = from->limit};
        snprintf(to->name, sizeof to->name, "%s", from->name);
    }
    for (size_t i = 0; i < own->execution_count; i++) {
        const lab_execution *from = &own->executions[i];
        unsigned run = 0;
        unsigned long long ordinal = 0;
        const char *slash = strchr(from->key, '/');
        if (slash == NULL || sscanf(slash, "/%u/%llu", &run, &ordinal) != 2)
            fail_msg("%s is no idempotency key", from->key);
        fleet_execution made = {.number = number_of(h, from->key, (size_t)(slash - from->key)),
                                .ordinal = ordinal,
                                .begin_order = from->begin_order,
                                .end_order = from->end_order,
                                .input_hash = from->input_hash,
                                .worker = from->worker,
                                .attempt = from->attempt,
                                .effect = effect_index(h, from->effect),
                                .reconcile = from->reconcile,
                                .told_at_once = from->told_at_once};
        snprintf(made.key, sizeof made.key, "%s", from->key);
        fleet_add_execution(h, &made);
    }
    lab_unlock(own);
}

void witness_load(witness *w, uint32_t (*traits_of)(const char *id))
{
    lab *own = w->own;
    loading l = {w, traits_of};
    pawl_list page = {.struct_size = sizeof page, .limit = 500};
    do {
        uint64_t next = 0;
        assert_int_equal(own->registry.table.list(own->registry.store, &page, take_row, &l, &next, NULL), PAWL_OK);
        page.after_number = next;
    } while (page.after_number != 0);
    for (size_t i = 0; i < w->history.process_count; i++)
        assert_int_equal(witness_read_journal(own, w->history.processes[i].number, &w->history.processes[i]), PAWL_OK);
    load_executions(w);
}

/* ---- one process, now ---- */

void witness_look(lab *own, const char *id, auditor_report *report)
{
    fleet_process journal = {0};
    lab_row before = lab_look(own, id);
    assert_int_equal(witness_read_journal(own, before.number, &journal), PAWL_OK);
    lab_row after = lab_look(own, id);
    auditor_judge_look(&(auditor_look){.id = id,
                                       .status_before = before.status,
                                       .status_after = after.status,
                                       .head_before = before.head,
                                       .head_after = after.head,
                                       .wake_unix_ns = before.wake_unix_ns,
                                       .cancelled = before.cancelled,
                                       .has_reason_code = before.reason_code[0] != '\0',
                                       .records = journal.records,
                                       .record_count = journal.record_count},
                       report);
    free(journal.records);
}
