/* resident/ahead.c: results of effects declared local, seen by the program before they are durable. Such an effect
 * shows nothing outside and may run again, so nobody can tell that it ran and was forgotten. Its record is given to the
 * mirror at once, under the sequence that it will get, and written later together with what follows. Must never let
 * anything visible begin meanwhile: everything but another such call waits until what is ahead is durable, and what is
 * ahead is written only where it was said to stand, or thrown away. tests/model/ahead.pml has the rules, each with what
 * breaks without it. */
#include "internal.h"

#include <string.h>

#define AHEAD_RECORDS_MAX ((size_t)64)
#define AHEAD_BYTES_MAX   ((size_t)256 * 1024)

/* Model: ahead.pml, DURABLE_HEAD. */
uint64_t pawl_resident_durable_head(const pawl_resident *r)
{
    return pawl_activation_head(r->activation) - r->ahead;
}

bool pawl_resident_has_unseen(const pawl_resident *r)
{
    return r->pending.count > r->ahead || r->pending.has_document || r->pending.has_attributes;
}

static size_t ahead_bytes(const pawl_resident *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->ahead; i++)
        bytes += r->pending.records[i].body.size;
    return bytes;
}

static bool is_local(const pawl_resident *r, const pawl_open_call *open)
{
    const pawl_effect *effect =
        open->child ? NULL : pawl_catalog_effect_of(r->worker->config.catalog, open->name, r->code);
    return effect != NULL && effect->local && effect->runs == PAWL_RUNS_INLINE &&
           effect->outcome == PAWL_OUTCOME_IDEMPOTENT && effect->bulkhead->limit == 0 && effect->guards == NULL;
}

/* It must be the only call, so that when it is thrown away nothing of another one is. A process that is to stop has no
 * haste, and a worker that stops gives it back as soon as everything is written. Model: ahead.pml, MAY_GO_AHEAD. */
bool pawl_resident_may_go_ahead(pawl_resident *r, const pawl_open_call *open)
{
    bool alone =
        r->calls == NULL && r->child_ops == 0 && open == pawl_activation_calls(r->activation) && open->next == NULL;
    return alone && is_local(r, open) && !r->parking && !r->results && !pawl_resident_has_unseen(r) &&
           r->early == NULL && r->ahead < AHEAD_RECORDS_MAX && ahead_bytes(r) < AHEAD_BYTES_MAX &&
           pawl_activation_cancel_time(r->activation) == 0 && atomic_load(&r->worker->stop_mode) == 0;
}

bool pawl_resident_may_stay_ahead(pawl_resident *r)
{
    const pawl_open_call *open = pawl_activation_calls(r->activation);
    return r->ahead > 0 && open != NULL && pawl_resident_is_startable(r, open) && pawl_resident_may_go_ahead(r, open);
}

/* Model: ahead.pml, run_local. */
void pawl_resident_go_ahead(pawl_resident *r)
{
    if (r->parking || r->pending.count != r->ahead + 1)
        return; /* the record could not be made: it is written, or not, like any other */
    pawl_record *record = &r->pending.records[r->ahead];
    record->sequence = pawl_activation_head(r->activation) + 1;
    record->time_unix_ns = resident_unix_now(r);
    r->results = false;
    if (pawl_resident_feed(r, record))
        r->ahead++;
}

/* Model: ahead.pml, go_back. */
void pawl_resident_go_back(pawl_resident *r)
{
    pawl_resident_forget_efforts(r);
    r->activation = pawl_activation_destroy(r->activation);
    pawl_resident_batch_reset(&r->pending);
    pawl_resident_batch_reset(&r->batch);
    pawl_resident_drop_early(r); /* the journal has them */
    r->ahead = 0;
    r->results = r->wait_more = r->parking = false;
    r->result = (pawl_run_result){0}; /* its bytes went with the activation */
    r->document = (pawl_bytes){0};    /* another one may be stored by now: the next run says which is true */
    r->attributes = (pawl_bytes){0};
    r->attributes_known = false;
    r->dirty = true;
    pawl_resident_start(r);
}
