/* lab_audit.c: what must be true of every journal and every execution, whatever a test did: sequences without a gap,
 * one end and nothing after it, one step for each call, nothing executed once its step is recorded, no attempt of a
 * call that may run at most once executed twice. */
#include "lab_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 16384

typedef struct audit {
    lab *own;
    char id[257];
    uint64_t base, next;
    uint32_t run;
    bool ended;
    uint64_t *step_unix_ns; /* by ordinal; 0: no step */
    char wrong[512];
} audit;

#define WRONG(a, ...)                                                                                                  \
    do {                                                                                                               \
        if ((a)->wrong[0] == '\0')                                                                                     \
            snprintf((a)->wrong, sizeof(a)->wrong, __VA_ARGS__);                                                       \
    } while (0)

static int32_t check_record(void *context, const pawl_record *record)
{
    audit *a = context;
    pawl_entry e;
    unsigned long long sequence = (unsigned long long)record->sequence;
    if (pawl_entry_decode(record, &e, NULL) != PAWL_OK)
        WRONG(a, "record %llu is damaged", sequence);
    if (record->sequence != a->next)
        WRONG(a, "record %llu where %llu should be", sequence, (unsigned long long)a->next);
    a->next = record->sequence + 1;
    if ((record->sequence == a->base) != (record->kind == PAWL_RECORD_STARTED))
        WRONG(a, "record %llu has kind %u", sequence, record->kind);
    if (a->ended && record->kind != PAWL_RECORD_REWOUND)
        WRONG(a, "record %llu stands behind the end", sequence);
    if (record->kind == PAWL_RECORD_REWOUND) /* what stands before of these steps is void */
        for (uint64_t ordinal = e.ordinal; ordinal < STEPS_MAX; ordinal++)
            a->step_unix_ns[ordinal] = 0;
    a->ended = record->kind == PAWL_RECORD_ENDED;
    if (record->kind == PAWL_RECORD_STEP && e.ordinal < STEPS_MAX) {
        if (a->step_unix_ns[e.ordinal] != 0)
            WRONG(a, "call %llu has two steps", (unsigned long long)e.ordinal);
        a->step_unix_ns[e.ordinal] = record->time_unix_ns;
    }
    return 0;
}

/* The executions of this process, against its steps. */
static void check_executions(audit *a)
{
    size_t prefix = strlen(a->id);
    for (size_t i = 0; i < a->own->execution_count; i++) {
        const lab_execution *execution = &a->own->executions[i];
        unsigned run = 0;
        unsigned long long ordinal = 0;
        int used = 0;
        if (strncmp(execution->key, a->id, prefix) != 0 ||
            sscanf(execution->key + prefix, "/%u/%llu%n", &run, &ordinal, &used) != 2 ||
            execution->key[prefix + (size_t)used] != '\0' || ordinal >= STEPS_MAX || run != a->run)
            continue;
        uint64_t step = a->step_unix_ns[ordinal];
        if (step != 0 && execution->begin_unix_ns > step)
            WRONG(a, "%s was executed after its step was recorded", execution->key);
    }
}

static int32_t check_row(void *context, const pawl_process_row *row)
{
    audit *a = context;
    snprintf(a->id, sizeof a->id, "%.*s", (int)row->id.size, (const char *)row->id.data);
    a->run = row->run;
    a->base = a->next = row->base;
    a->ended = false;
    memset(a->step_unix_ns, 0, STEPS_MAX * sizeof *a->step_unix_ns);
    lab *own = a->own;
    if (own->registry.table.journal(own->registry.store, row->number, 1, 0, check_record, a, NULL) != PAWL_OK)
        WRONG(a, "the journal cannot be read");
    if (a->ended != PAWL_IS_TERMINAL(row->status))
        WRONG(a, "its status is %u, its journal %s", row->status, a->ended ? "has ended" : "has no end");
    if (a->next != row->head + 1)
        WRONG(a, "its head is %llu, its journal ends with %llu", (unsigned long long)row->head,
              (unsigned long long)a->next - 1);
    if (own->execution_count < 2000 && !own->untimed) /* quadratic: the stress tests look for themselves */
        check_executions(a);
    return a->wrong[0] != '\0';
}

static bool forbids_repeating(lab *own, const char *name)
{
    for (size_t i = 0; i < own->effect_count; i++)
        if (strcmp(own->effects[i].name, name) == 0)
            return own->effects[i].outcome == PAWL_OUTCOME_AT_MOST_ONCE;
    return false;
}

static int compare(const void *left, const void *right)
{
    const lab_execution *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order != 0 ? order : (a->attempt > b->attempt) - (a->attempt < b->attempt);
}

/* One attempt of one call that may run at most once was executed at most once. Sorts the notes. */
static void check_once(audit *a)
{
    lab *own = a->own;
    qsort(own->executions, own->execution_count, sizeof *own->executions, compare);
    for (size_t i = 1; i < own->execution_count; i++) {
        const lab_execution *one = &own->executions[i - 1], *two = &own->executions[i];
        if (!one->reconcile && !two->reconcile && compare(one, two) == 0 && forbids_repeating(own, one->effect))
            WRONG(a, "%s, attempt %u, was executed twice", one->key, one->attempt);
    }
}

void lab_audit(lab *own)
{
    audit a = {.own = own};
    a.step_unix_ns = calloc(STEPS_MAX, sizeof *a.step_unix_ns);
    assert_non_null(a.step_unix_ns);
    pawl_list page = {.struct_size = sizeof page, .limit = 500};
    do {
        uint64_t next = 0;
        assert_int_equal(own->registry.table.list(own->registry.store, &page, check_row, &a, &next, NULL), PAWL_OK);
        page.after_number = next;
    } while (page.after_number != 0 && a.wrong[0] == '\0');
    if (a.wrong[0] == '\0')
        check_once(&a);
    free(a.step_unix_ns);
    if (a.wrong[0] != '\0')
        fail_msg("audit of %s: %s\n%s", a.id, a.wrong, lab_journal(own, a.id));
}
