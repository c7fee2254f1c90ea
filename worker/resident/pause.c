/* resident/pause.c: a held process that an operator wants to keep still, by itself or with all of its type. Nothing of
 * it begins; what runs may end and is recorded; then it is given back. Must never leave an intent behind that was
 * written and not followed: that would be doubt where there is none. */
#include "internal.h"

void pawl_resident_note_pause(pawl_resident *r, uint32_t kind)
{
    if (kind == PAWL_RECORD_CANCEL || kind == PAWL_RECORD_REWOUND)
        atomic_store_explicit(&r->asked_to_stop, kind == PAWL_RECORD_CANCEL, memory_order_relaxed);
    if (kind == PAWL_RECORD_PAUSED)
        atomic_store_explicit(&r->paused, true, memory_order_relaxed);
    else if (kind == PAWL_RECORD_CONTINUED || kind == PAWL_RECORD_CANCEL || kind == PAWL_RECORD_PARKED)
        atomic_store_explicit(&r->paused, false, memory_order_relaxed);
}

bool pawl_resident_is_paused(const pawl_resident *r)
{
    return atomic_load_explicit(&r->paused, memory_order_relaxed) ||
           (!atomic_load_explicit(&r->asked_to_stop, memory_order_relaxed) &&
            pawl_gate_is_shut(atomic_load_explicit(&r->gate, memory_order_acquire)));
}

/* One that is paused by itself is stored as waiting. One of a paused type stays as it is, so that it can be claimed as
 * soon as its type may. */
bool pawl_resident_keep_still(pawl_resident *r)
{
    pawl_resident_start_intended(r);
    if (r->results || !pawl_resident_batch_empty(&r->pending)) {
        pawl_resident_commit(r, PAWL_OP_APPEND);
        return true;
    }
    if (r->calls != NULL || r->parking)
        return true;
    if (atomic_load_explicit(&r->paused, memory_order_relaxed)) {
        pawl_resident_commit(r, PAWL_OP_SUSPEND);
        return true;
    }
    pawl_resident_release(r);
    return false;
}
