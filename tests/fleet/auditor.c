/* auditor.c: the promises as they show at the end, in journals, executions and posts; auditor_replay.c has those that
 * need the order of events. See auditor.h. Each rule has a history in auditor_test.c that breaks it. */
#include "auditor_internal.h"

#include "worker/catalog.h"
#include "worker/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void auditor_find(auditor_report *report, const char *rule, const char *format, ...)
{
    size_t at = report->count++;
    if (at >= AUDITOR_FOUND_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(report->found[at].text, sizeof report->found[at].text, format, args);
    va_end(args);
    report->found[at].rule = rule;
}

#define FIND(rule, ...) auditor_find(report, rule, __VA_ARGS__)

const fleet_process *auditor_process(const fleet_history *history, uint64_t number)
{
    for (size_t i = 0; i < history->process_count; i++)
        if (history->processes[i].number == number)
            return &history->processes[i];
    return NULL;
}

/* ---- journals ---- */

static const fleet_record *find_record(const fleet_process *p, uint32_t kind, uint64_t ordinal)
{
    for (size_t i = 0; i < p->record_count; i++)
        if (p->records[i].kind == kind && p->records[i].ordinal == ordinal)
            return &p->records[i];
    return NULL;
}

/* A timer fires once, was set before, and not before its time by the clock of the store. */
static void judge_fired(const fleet_history *h, const fleet_process *p, const fleet_record *fired,
                        auditor_report *report)
{
    const fleet_record *set = find_record(p, PAWL_RECORD_TIMER, fired->ordinal);
    report->timers++;
    if (set == NULL || set > fired)
        FIND("I3.timer_not_set", "%s: timer %llu fired and was never set", p->id, (wide)fired->ordinal);
    else if (h->timers_by_store && fired->time_unix_ns + h->clock_back_ns < set->due_unix_ns)
        FIND("I3.timer_early", "%s: timer %llu fired %llu ns before it was due", p->id, (wide)fired->ordinal,
             (wide)(set->due_unix_ns - fired->time_unix_ns));
    for (const fleet_record *other = p->records; other < fired; other++)
        if (other->kind == PAWL_RECORD_FIRED && other->ordinal == fired->ordinal)
            FIND("I1.fired_twice", "%s: timer %llu fired twice", p->id, (wide)fired->ordinal);
}

static void judge_journal(const fleet_history *h, const fleet_process *p, auditor_report *report)
{
    if (p->head != p->record_count)
        FIND("I4.head", "%s: its head is %llu, its journal has %zu records", p->id, (wide)p->head, p->record_count);
    for (size_t i = 0; i < p->record_count; i++) {
        const fleet_record *record = &p->records[i];
        if (record->sequence != i + 1)
            FIND("I4.gap", "%s: record %llu stands where %zu should", p->id, (wide)record->sequence, i + 1);
        if ((i == 0) != (record->kind == PAWL_RECORD_STARTED))
            FIND("I4.started", "%s: record %zu has kind %u", p->id, i + 1, record->kind);
        if (record->kind == PAWL_RECORD_ENDED && i + 1 != p->record_count)
            FIND("I4.after_end", "%s: records stand behind its end", p->id);
        if (record->kind == PAWL_RECORD_STEP && find_record(p, PAWL_RECORD_STEP, record->ordinal) != record)
            FIND("I1.two_steps", "%s: call %llu has two steps", p->id, (wide)record->ordinal);
        if (record->kind == PAWL_RECORD_FIRED)
            judge_fired(h, p, record, report);
    }
    const fleet_record *last = p->record_count == 0 ? NULL : &p->records[p->record_count - 1];
    bool ended = last != NULL && last->kind == PAWL_RECORD_ENDED;
    if (ended != PAWL_IS_TERMINAL(p->status) || (ended && last->status != p->status))
        FIND("I4.status", "%s: its status is %u, its journal says %u", p->id, p->status, ended ? last->status : 0);
}

/* ---- what became of it ---- */

static void judge_end(const fleet_process *p, auditor_report *report)
{
    if (PAWL_IS_TERMINAL(p->status))
        return;
    if (p->status != PAWL_STUCK || (p->traits & FLEET_OFFENDER) == 0)
        FIND("I8.not_ended", "%s: its status is %u at the end, reason \"%s\"", p->id, p->status, p->reason_code);
    else if (p->reason_code[0] == '\0')
        FIND("I8.no_reason", "%s is stuck without a reason", p->id);
    report->stuck += p->status == PAWL_STUCK;
}

/* An end other than "cancelled" is honest only when nothing came after the request that would have told the program. */
static void judge_cancel(const fleet_process *p, auditor_report *report)
{
    const fleet_record *cancel = find_record(p, PAWL_RECORD_CANCEL, 0);
    if ((cancel != NULL) != p->cancelled)
        FIND("I4.cancelled", "%s: its header says %d, its journal %d", p->id, p->cancelled, cancel != NULL);
    if (cancel == NULL)
        return;
    report->cancels++;
    if (p->status == PAWL_CANCELLED || p->status == PAWL_TERMINATED || (p->traits & FLEET_OBEDIENT) == 0)
        return;
    for (const fleet_record *after = cancel + 1; after < p->records + p->record_count; after++)
        if (after->kind == PAWL_RECORD_STEP || after->kind == PAWL_RECORD_FIRED) {
            FIND("I7.cancel_ignored", "%s: it was asked to stop, went on, and its status is %u", p->id, p->status);
            return;
        }
}

/* ---- posts ---- */

static void judge_post(const fleet_history *h, const fleet_post *post, auditor_report *report)
{
    const fleet_process *p = auditor_process(h, post->number);
    if (p == NULL) {
        FIND("I5.post_lost", "process %llu got \"%s\" and is gone", (wide)post->number, post->value);
        return;
    }
    size_t copies = 0;
    uint64_t at = 0;
    for (size_t i = 0; i < p->record_count; i++)
        if (p->records[i].kind == post->kind && strcmp(p->records[i].value, post->value) == 0) {
            copies++;
            at = p->records[i].sequence;
        }
    if (post->acknowledged && (copies == 0 || (post->sequence != 0 && at != post->sequence)))
        FIND("I5.post_lost", "%s: \"%s\" was acknowledged as record %llu, and its journal has it at %llu", p->id,
             post->value, (wide)post->sequence, (wide)at);
    if (copies > 1)
        FIND("I5.post_twice", "%s: its journal has \"%s\" %zu times", p->id, post->value, copies);
    report->signals += post->kind == PAWL_RECORD_SIGNAL && copies == 1;
}

/* The n-th thing taken is the n-th signal. */
static void judge_delivery(const fleet_process *p, auditor_report *report)
{
    const fleet_record *signal = p->records, *end = p->records + p->record_count;
    if ((p->traits & FLEET_LISTENER) == 0)
        return;
    for (const fleet_record *step = p->records; step < end; step++) {
        if (step->kind != PAWL_RECORD_STEP || strcmp(step->name, "take") != 0 || step->failed)
            continue;
        while (signal < end && signal->kind != PAWL_RECORD_SIGNAL)
            signal++;
        char wanted[80] = "take(nothing)";
        if (signal < end)
            snprintf(wanted, sizeof wanted, "take(%s)", signal->value);
        if (strcmp(step->value, wanted) != 0)
            FIND("I5.delivery", "%s: it took %s where %s was next", p->id, step->value, wanted);
        signal += signal < end;
    }
}

/* ---- executions ---- */

static int by_call(const void *left, const void *right)
{
    const fleet_execution *a = left, *b = right;
    uint64_t of_a[] = {a->number, a->ordinal, a->attempt, a->begin_order};
    uint64_t of_b[] = {b->number, b->ordinal, b->attempt, b->begin_order};
    for (size_t i = 0; i < 4; i++)
        if (of_a[i] != of_b[i])
            return of_a[i] < of_b[i] ? -1 : 1;
    return 0;
}

static void judge_pair(const fleet_history *h, const fleet_execution *one, const fleet_execution *two,
                       auditor_report *report)
{
    if (one->number != two->number || one->ordinal != two->ordinal)
        return;
    if (strcmp(one->key, two->key) != 0 || one->input_hash != two->input_hash)
        FIND("I1.key", "call %s was executed again as %s, or with another input", one->key, two->key);
    bool once = one->effect < h->effect_count && h->effects[one->effect].outcome == PAWL_OUTCOME_AT_MOST_ONCE;
    if (once && one->attempt == two->attempt && !one->reconcile && !two->reconcile)
        FIND("I1.at_most_once", "attempt %u of %s was executed twice", one->attempt, one->key);
}

/* An effect that must not be repeated blindly begins only behind a durable intent. */
static void judge_intent(const fleet_history *h, const fleet_execution *x, auditor_report *report)
{
    if (x->effect >= h->effect_count || x->reconcile)
        return;
    uint32_t outcome = h->effects[x->effect].outcome;
    const fleet_process *p = auditor_process(h, x->number);
    if (p == NULL || (outcome != PAWL_OUTCOME_AT_MOST_ONCE && outcome != PAWL_OUTCOME_RECONCILE))
        return;
    for (size_t i = 0; i < p->record_count; i++)
        if (p->records[i].kind == PAWL_RECORD_INTENT && p->records[i].ordinal == x->ordinal &&
            p->records[i].attempt == x->attempt)
            return;
    FIND("I1.no_intent", "attempt %u of %s was executed without a recorded intent", x->attempt, x->key);
}

static void judge_executions(const fleet_history *h, auditor_report *report)
{
    size_t size = h->execution_count * sizeof *h->executions;
    fleet_execution *sorted = malloc(size + 1);
    if (sorted == NULL)
        abort();
    if (size > 0)
        memcpy(sorted, h->executions, size);
    qsort(sorted, h->execution_count, sizeof *sorted, by_call);
    for (size_t i = 0; i < h->execution_count; i++) {
        if (i > 0)
            judge_pair(h, &sorted[i - 1], &sorted[i], report);
        judge_intent(h, &sorted[i], report);
    }
    free(sorted);
}

void auditor_judge(const fleet_history *history, auditor_report *ret)
{
    *ret = (auditor_report){0};
    for (size_t i = 0; i < history->process_count; i++) {
        const fleet_process *p = &history->processes[i];
        judge_journal(history, p, ret);
        judge_end(p, ret);
        judge_cancel(p, ret);
        judge_delivery(p, ret);
    }
    for (size_t i = 0; i < history->post_count; i++)
        judge_post(history, &history->posts[i], ret);
    judge_executions(history, ret);
    auditor_replay(history, ret);
}

/* ---- one process, now ---- */

typedef struct outline {
    bool ended, parked, cancelled, wakes;
} outline;

/* What a journal says about the header beside it. */
static outline outline_of(const auditor_look *look)
{
    outline o = {0};
    for (size_t i = 0; i < look->record_count; i++) {
        const fleet_record *record = &look->records[i];
        o.ended = record->kind == PAWL_RECORD_ENDED;
        o.cancelled = o.cancelled || record->kind == PAWL_RECORD_CANCEL;
        o.wakes = o.wakes || ((record->kind == PAWL_RECORD_TIMER || record->kind == PAWL_RECORD_ATTEMPT) &&
                              record->due_unix_ns == look->wake_unix_ns);
        if (record->kind == PAWL_RECORD_PARKED || record->kind == PAWL_RECORD_RESUMED)
            o.parked = record->kind == PAWL_RECORD_PARKED;
    }
    return o;
}

void auditor_judge_look(const auditor_look *look, auditor_report *report)
{
    if (look->head_before != look->head_after)
        return;
    outline o = outline_of(look);
    if (look->record_count != look->head_before)
        FIND("I4.head", "%s: its head is %llu, its journal has %zu records", look->id, (wide)look->head_before,
             look->record_count);
    if (o.ended != PAWL_IS_TERMINAL(look->status_before) || o.ended != PAWL_IS_TERMINAL(look->status_after))
        FIND("I4.status", "%s: its status is %u, its journal %s", look->id, look->status_before,
             o.ended ? "has ended" : "has no end");
    if (o.cancelled != look->cancelled)
        FIND("I4.cancelled", "%s: its header says %d, its journal %d", look->id, look->cancelled, o.cancelled);
    if (look->status_before != look->status_after)
        return; /* a lease came or went: nothing is written then */
    if (look->status_before == PAWL_STUCK && (!o.parked || !look->has_reason_code))
        FIND("I4.stuck", "%s is stuck, and %s", look->id, o.parked ? "has no reason" : "was never parked");
    if (look->status_before == PAWL_WAITING && look->wake_unix_ns != 0 && !o.wakes)
        FIND("I4.wake", "%s wakes at a time that no timer or attempt in its journal has", look->id);
}
