/* post.c: POST: what comes from outside. It is never judged by a token; its own id makes it happen once. */
#include "inbox.h"
#include "session.h"

#include <stdlib.h>

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", __VA_ARGS__)

/* What only an event has. */
static pawl_status check_event(const pawl_store_round *round, const pawl_post *post, pawl_fault *fault)
{
    if (post->kind != PAWL_RECORD_EVENT)
        return post->delivery == NULL ? PAWL_OK : INVALID("only an event delivers into a queue");
    if (post->status != 0 && (!PAWL_IS_TERMINAL(post->status) || post->status >= STORE_STATUS_COUNT))
        return INVALID("POST of EVENT has status %u, which is not terminal", post->status);
    pawl_status status =
        pawl_store_check_size("the outcome of an event", post->outcome, round->registry->store->value_bytes_max, fault);
    if (status == PAWL_OK && post->delivery != NULL)
        status = pawl_store_inbox_check(round->registry->store, post->delivery, fault);
    return status;
}

static pawl_status check(const pawl_store_round *round, const pawl_post *post, pawl_fault *fault)
{
    if (post == NULL || post->struct_size < sizeof *post)
        return INVALID("the request of POST is too small");
    if (post->kind != PAWL_RECORD_SIGNAL && post->kind != PAWL_RECORD_CANCEL && post->kind != PAWL_RECORD_RESUMED &&
        post->kind != PAWL_RECORD_ENDED && post->kind != PAWL_RECORD_REWOUND && post->kind != PAWL_RECORD_UPDATE &&
        post->kind != PAWL_RECORD_INTERRUPTED && post->kind != PAWL_RECORD_PAUSED &&
        post->kind != PAWL_RECORD_CONTINUED && post->kind != PAWL_RECORD_EVENT)
        return INVALID(
            "POST has record kind %u; wanted SIGNAL, UPDATE, CANCEL, RESUMED, REWOUND, INTERRUPTED, ENDED, PAUSED, "
            "CONTINUED or EVENT",
            post->kind);
    if (post->kind == PAWL_RECORD_ENDED && (!PAWL_IS_TERMINAL(post->status) || post->status >= STORE_STATUS_COUNT))
        return INVALID("POST of ENDED has status %u, which is not terminal", post->status);
    pawl_status status = pawl_store_check_name("a process id", post->id, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_name("a post id", post->post_id, PAWL_STORE_POST_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_fingerprint(post->fingerprint, fault);
    if (status == PAWL_OK)
        status =
            pawl_store_check_size("the body of a post", post->body, round->registry->store->value_bytes_max, fault);
    if (status == PAWL_OK)
        status = check_event(round, post, fault);
    return status;
}

/* ---- idempotency ---- */

static pawl_status answer(const pawl_post *post, pawl_bytes fingerprint, uint64_t sequence, pawl_registry_op *op,
                          pawl_fault *fault)
{
    char id[300];
    char found[80];
    char wanted[80];
    if (!pawl_bytes_equal(post->fingerprint, fingerprint))
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.conflict",
                              "post id \"%s\" was used before with other content: fingerprint %s, not %s",
                              pawl_fault_text(post->post_id, id, sizeof id),
                              pawl_fault_hex(fingerprint, found, sizeof found),
                              pawl_fault_hex(post->fingerprint, wanted, sizeof wanted));
    op->sequence = sequence;
    op->flags |= PAWL_RESULT_REPLAYED;
    return PAWL_OK;
}

static const pawl_store_staged_post *find_staged(const pawl_store_stage *stage, const pawl_post *post)
{
    for (const pawl_store_staged_post *staged = stage->posts; staged != NULL; staged = staged->next)
        if (staged->post->kind == post->kind && pawl_bytes_equal(staged->post->post_id, post->post_id))
            return staged;
    return NULL;
}

/* PAWL_E_NOT_FOUND: this post id is new. Anything else is the answer. */
static pawl_status replay(pawl_store_round *round, const pawl_store_stage *stage, const pawl_post *post,
                          pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_store_staged_post *staged = find_staged(stage, post);
    if (staged != NULL)
        return answer(post, staged->post->fingerprint, staged->sequence, op, fault);
    pawl_key key;
    pawl_store_key_post(&key, stage->entry->number, post->kind, post->post_id);
    pawl_status status =
        pawl_kv_get(round->registry->store->kv, PAWL_FAMILY_POST, pawl_key_bytes(&key), &round->scratch, fault);
    if (status != PAWL_OK)
        return status;
    pawl_reader reader;
    status = pawl_row_open(&reader, PAWL_FAMILY_POST, pawl_key_bytes(&key),
                           (pawl_bytes){round->scratch.data, round->scratch.size}, fault);
    if (status != PAWL_OK)
        return status;
    uint64_t sequence = pawl_reader_u64(&reader);
    return answer(post, pawl_reader_rest(&reader), sequence, op, fault);
}

/* ---- what it does ---- */

/* Everything that can run out of memory, taken before anything is staged. */
typedef struct preparation {
    pawl_store_staged_post *staged;
    pawl_store_posted_event *event;
    uint64_t ready;
    uint64_t item;                    /* 0: nothing is delivered */
    pawl_store_queue_waiter *waiters; /* for what is */
} preparation;

static bool is_same_delivery(const pawl_delivery *a, const pawl_delivery *b)
{
    return b != NULL && pawl_bytes_equal(a->session, b->session) && pawl_bytes_equal(a->type, b->type) &&
           pawl_bytes_equal(a->key, b->key);
}

/* The place in the queue, unless something with this key was delivered before or is by this round. */
static pawl_status prepare_delivery(pawl_store_round *round, const pawl_store_stage *stage,
                                    const pawl_delivery *delivery, preparation *made, pawl_fault *fault)
{
    bool known = false;
    if (delivery == NULL)
        return PAWL_OK;
    pawl_status status = pawl_store_inbox_is_known(round, stage->entry->number, delivery, &known, fault);
    for (const pawl_store_staged_post *staged = stage->posts; staged != NULL && delivery->key.size > 0;
         staged = staged->next)
        known = known || is_same_delivery(delivery, staged->post->delivery);
    if (status == PAWL_OK && !known)
        status = pawl_store_ticket(round->registry->store, &made->item, fault);
    if (status == PAWL_OK && !known)
        status = pawl_store_queue_waiters_find(round, delivery->session, &made->waiters, fault);
    return status;
}

static pawl_status prepare(pawl_store_round *round, const pawl_store_stage *stage, bool makes_ready,
                           const pawl_post *post, preparation *made, pawl_fault *fault)
{
    made->staged = pawl_store_arena_take(&round->arena, sizeof *made->staged);
    made->event = pawl_store_arena_take(&round->arena, sizeof *made->event);
    if (made->staged == NULL || made->event == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = prepare_delivery(round, stage, post->delivery, made, fault);
    if (status == PAWL_OK && makes_ready && pawl_store_stage_needs_ready(stage))
        status = pawl_store_ticket(round->registry->store, &made->ready, fault);
    return status;
}

static void put_post(pawl_store_round *round, pawl_store_stage *stage, const pawl_post *post, uint64_t sequence,
                     pawl_store_staged_post *staged)
{
    pawl_key key;
    pawl_store_key_post(&key, stage->entry->number, post->kind, post->post_id);
    pawl_batch_begin(&round->rows, PAWL_FAMILY_POST, pawl_key_bytes(&key));
    pawl_buffer_u64(&round->rows.bytes, sequence);
    pawl_buffer_append(&round->rows.bytes, post->fingerprint.data, post->fingerprint.size);
    pawl_batch_end(&round->rows);
    *staged = (pawl_store_staged_post){.next = stage->posts, .post = post, .sequence = sequence};
    stage->posts = staged;
}

static void add_event(pawl_store_round *round, pawl_store_stage *stage, const pawl_post *post, uint64_t sequence,
                      pawl_store_posted_event *event)
{
    event->record = (pawl_record){
        .struct_size = sizeof event->record,
        .kind = post->kind,
        .sequence = sequence,
        .time_unix_ns = round->now_unix_ns,
        .body = post->body,
    };
    *stage->events_end = event;
    stage->events_end = &event->next;
}

/* Also when it is leased, if a wake time made it claimable: were the clock set back and the lease lost, what was posted
 * would otherwise wait for that time again. Model: lease.pml, MAKES_READY. */
static bool makes_ready(const pawl_store_stage *stage, const pawl_post *post)
{
    if (stage->entry->identity.external || post->kind == PAWL_RECORD_ENDED || post->kind == PAWL_RECORD_INTERRUPTED ||
        post->kind == PAWL_RECORD_PAUSED || post->kind == PAWL_RECORD_EVENT)
        return false;
    if (post->kind == PAWL_RECORD_REWOUND)
        return true;
    if (stage->state.status == PAWL_STUCK)
        return post->kind == PAWL_RECORD_CANCEL || post->kind == PAWL_RECORD_RESUMED;
    if (stage->state.behind)
        return post->kind == PAWL_RECORD_CANCEL;
    bool stays = stage->state.paused != 0 && post->kind != PAWL_RECORD_CONTINUED && post->kind != PAWL_RECORD_CANCEL;
    return stage->state.status == PAWL_WAITING && !stays;
}

/* What a pause, or its end, makes of the process beside what `makes_ready` says. A cancel request ends a pause: it is
 * the later wish, and undoing what was done is not keeping still. True: the header changes. */
static bool pause_or_continue(pawl_store_round *round, pawl_store_stage *stage, const pawl_post *post,
                              uint64_t sequence)
{
    pawl_store_state *state = &stage->state;
    bool was = state->paused != 0;
    if (post->kind == PAWL_RECORD_PAUSED) {
        state->paused = sequence;
        if (state->status == PAWL_READY || state->wake_unix_ns != 0)
            pawl_store_stage_move(round, stage, PAWL_WAITING, 0, 0);
        return true;
    }
    if (post->kind != PAWL_RECORD_CONTINUED && post->kind != PAWL_RECORD_CANCEL && post->kind != PAWL_RECORD_ENDED)
        return false;
    state->paused = 0;
    return was;
}

static pawl_status check_pause(const pawl_store_stage *stage, const pawl_post *post, pawl_fault *fault)
{
    char id[300];
    pawl_fault_text(post->id, id, sizeof id);
    if (post->kind == PAWL_RECORD_CONTINUED && stage->state.paused == 0)
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.not_paused", "process \"%s\" is not paused", id);
    if (post->kind == PAWL_RECORD_PAUSED && stage->state.status == PAWL_STUCK)
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.stuck",
                              "process \"%s\" is stuck, and keeps still by that", id);
    if (post->kind == PAWL_RECORD_PAUSED && stage->entry->identity.external)
        return INVALID("process \"%s\" is external: nothing here runs it that could be paused", id);
    return PAWL_OK;
}

static bool ends(const pawl_post *post)
{
    return post->kind == PAWL_RECORD_ENDED || (post->kind == PAWL_RECORD_EVENT && post->status != 0);
}

static pawl_status check_end(const pawl_store_stage *stage, const pawl_post *post, pawl_fault *fault)
{
    if (post->kind == PAWL_RECORD_EVENT && post->status != 0 && !stage->entry->identity.external)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.not_external",
                              "only an external process is ended by an event; this one is run by a worker");
    if (post->kind != PAWL_RECORD_ENDED || stage->entry->identity.external)
        return PAWL_OK;
    if (post->force == 0)
        return INVALID("a process that is not external can be ended from outside by force only");
    if (post->status != PAWL_TERMINATED && post->status != PAWL_CANCELLED)
        return INVALID("force ends a process as terminated or cancelled; found status %u", post->status);
    return PAWL_OK;
}

/* What else is in the batch of an event. @return whether something was put into a queue */
static bool stage_event(pawl_store_round *round, pawl_store_stage *stage, const pawl_post *post,
                        const preparation *made)
{
    if (made->item != 0)
        pawl_store_inbox_stage(round, stage, post->delivery, stage->state.head, made->item);
    if (post->status != 0) {
        uint64_t end = pawl_store_stage_record(round, stage, PAWL_RECORD_ENDED, post->outcome);
        if (!pawl_store_stage_note_posted(round, stage, PAWL_RECORD_ENDED, end))
            round->rows.bytes.failed = true; /* out of memory: the whole round fails, and nothing is half done */
    }
    if (made->item != 0)
        pawl_store_queue_waiters_tell(round, post->delivery->session, made->waiters);
    return made->item != 0;
}

/* What it was, and what it was asked to do before, is void. Its end row stands under the time of its end. */
static void rewind_state(pawl_store_round *round, pawl_store_stage *stage, bool keep_cancel)
{
    pawl_key key;
    if (PAWL_IS_TERMINAL(stage->state.status)) {
        pawl_store_key_ended(&key, stage->state.updated_unix_ns, stage->entry->number);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_ENDED, pawl_key_bytes(&key));
    }
    stage->state.cancelled = stage->state.cancelled && keep_cancel;
    if (!stage->state.cancelled)
        pawl_store_deadline_renew(round, stage);
    stage->state.compensating = false;
    stage->state.paused = 0;
    stage->state.rewinds++;
    stage->ended = false; /* if this very round has ended it */
    stage->fenced = true;
}

static pawl_status check_rewind(const pawl_store_stage *stage, const pawl_post *post, pawl_fault *fault)
{
    if (post->kind != PAWL_RECORD_REWOUND)
        return PAWL_OK;
    if (stage->entry->identity.external)
        return INVALID("an external process has no steps that could be done again");
    if (stage->state.rewinds == UINT32_MAX)
        return pawl_store_limit(fault, "the rewinds of one run", (uint64_t)UINT32_MAX + 1, UINT32_MAX);
    return PAWL_OK;
}

static pawl_status stage_posted(pawl_store_round *round, pawl_store_stage *stage, bool leased, const pawl_post *post,
                                uint64_t *sequence, bool *queued, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    preparation made = {0};
    pawl_store_parent parent = {0};
    pawl_store_turn turn = {0};
    bool ready = makes_ready(stage, post);
    pawl_status status = prepare(round, stage, ready, post, &made, fault);
    if (status == PAWL_OK && ends(post))
        status = pawl_store_parent_find(round, stage, post->kind == PAWL_RECORD_ENDED ? post->body : post->outcome,
                                        &parent, fault);
    if (status == PAWL_OK && (ends(post) || stage->state.behind))
        status = pawl_store_turn_find(round, stage, &turn, fault);
    if (status != PAWL_OK)
        return status;
    if (!pawl_store_stage_note_posted(round, stage, post->kind, stage->state.head + 1))
        return pawl_fault_nomem(fault);
    if (post->kind == PAWL_RECORD_REWOUND)
        rewind_state(round, stage, post->force != 0);
    *sequence = pawl_store_stage_record(round, stage, post->kind, post->body);
    put_post(round, stage, post, *sequence, made.staged);
    if (leased && !ends(post) && post->kind != PAWL_RECORD_REWOUND)
        add_event(round, stage, post, *sequence, made.event);
    if (post->kind == PAWL_RECORD_CANCEL) {
        stage->state.cancelled = true;
        stage->cancel_sequence = *sequence;
        pawl_store_deadline_void(round, stage);
    }
    if (post->kind == PAWL_RECORD_CANCEL || ends(post))
        pawl_store_turn_leave(round, stage, &turn);
    bool changed = pause_or_continue(round, stage, post, *sequence);
    *queued = post->kind == PAWL_RECORD_EVENT && stage_event(round, stage, post, &made);
    if (ready)
        pawl_store_stage_move(round, stage, PAWL_READY, 0, made.ready);
    else if (ends(post))
        pawl_store_stage_move(round, stage, post->status, 0, 0);
    if (ready || changed || ends(post) || post->kind == PAWL_RECORD_CANCEL)
        pawl_store_stage_header(round, stage, none, none);
    if (ends(post))
        pawl_store_turn_hand_on(round, stage, &turn);
    pawl_store_parent_tell(round, &parent);
    return PAWL_OK;
}

pawl_status pawl_store_stage_posted(pawl_store_round *round, pawl_store_stage *stage, bool leased,
                                    const pawl_post *post, uint64_t *sequence, pawl_fault *fault)
{
    bool queued;
    return stage_posted(round, stage, leased, post, sequence, &queued, fault);
}

/* May it be done now? */
static pawl_status admit(const pawl_store_round *round, const pawl_store_stage *stage, const pawl_post *post,
                         pawl_fault *fault)
{
    char id[300];
    if (PAWL_IS_TERMINAL(stage->state.status) && post->kind != PAWL_RECORD_REWOUND)
        return pawl_fault_set(fault, PAWL_E_TERMINAL, "registry.terminal", "process \"%s\" has already ended",
                              pawl_fault_text(post->id, id, sizeof id));
    pawl_status status = check_end(stage, post, fault);
    if (status == PAWL_OK)
        status = check_pause(stage, post, fault);
    if (status == PAWL_OK)
        status = check_rewind(stage, post, fault);
    if (status == PAWL_OK &&
        (post->kind == PAWL_RECORD_SIGNAL || post->kind == PAWL_RECORD_UPDATE || post->kind == PAWL_RECORD_EVENT))
        status = pawl_store_stage_has_room(round, stage, 1, post->body.size, fault);
    if (status == PAWL_OK && post->look != 0)
        status = pawl_fault_set(fault, PAWL_E_NOT_FOUND, "registry.new_post", "this post id is new");
    return status;
}

/* Model: lease.pml, stage_post. */
static pawl_status stage_post(pawl_store_round *round, pawl_store_stage *stage, bool leased, pawl_registry_op *op,
                              pawl_fault *fault)
{
    const pawl_post *post = op->request;
    bool queued = false;
    pawl_status status = replay(round, stage, post, op, fault);
    if (status != PAWL_E_NOT_FOUND)
        return status;
    status = admit(round, stage, post, fault);
    if (status == PAWL_OK)
        status = stage_posted(round, stage, leased, post, &op->sequence, &queued, fault);
    if (queued)
        op->flags |= PAWL_RESULT_QUEUED;
    return status;
}

/* The stage of a post's process. */
static pawl_status stage_for(pawl_store_round *round, const pawl_post *post, pawl_store_stage **ret, bool *leased,
                             pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_entry *entry = NULL;
    pawl_status status = pawl_store_entry_by_id(registry, post->id, &entry, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    *ret = pawl_store_stage_of(round, entry);
    *leased = *ret != NULL && pawl_store_stage_is_leased(*ret);
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    return *ret == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

pawl_status pawl_store_stage_post(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_post *post = op->request;
    pawl_store_stage *stage = NULL;
    bool leased = false;
    pawl_status status = check(round, post, fault);
    if (status == PAWL_OK)
        status = stage_for(round, post, &stage, &leased, fault);
    if (status != PAWL_OK)
        return status;
    op->number = stage->entry->number;
    return stage_post(round, stage, leased, op, fault);
}

/* ---- many, with a session's state ---- */

typedef struct one_of_many {
    pawl_store_stage *stage; /* NULL: it is passed over */
    bool leased;
} one_of_many;

/* Everything that can refuse it, before anything is staged. */
static pawl_status look_at(pawl_store_round *round, const pawl_post *post, one_of_many *ret, pawl_fault *fault)
{
    pawl_fault why = {0};
    pawl_registry_op unsaid = {0}; /* what a replay would answer */
    pawl_status status = check(round, post, fault);
    if (status == PAWL_OK && post->kind != PAWL_RECORD_CANCEL && post->kind != PAWL_RECORD_ENDED)
        status = INVALID("POST_ALL takes CANCEL and ENDED, not kind %u", post->kind);
    if (status != PAWL_OK)
        return status;
    status = stage_for(round, post, &ret->stage, &ret->leased, &why);
    if (status == PAWL_OK)
        status = replay(round, ret->stage, post, &unsaid, &why);
    if (status == PAWL_E_NOT_FOUND && ret->stage != NULL) {
        why = (pawl_fault){0};
        status = admit(round, ret->stage, post, &why);
        if (status == PAWL_OK)
            return status;
    }
    ret->stage = NULL;
    if (status == PAWL_OK || status == PAWL_E_NOT_FOUND || status == PAWL_E_TERMINAL)
        return PAWL_OK;
    *fault = why;
    return status;
}

static pawl_status check_all(const pawl_post_all *all, pawl_fault *fault)
{
    if (all == NULL || all->struct_size < sizeof *all)
        return INVALID("the request of POST_ALL is too small");
    if (all->post_count > PAWL_STORE_POSTS_MAX)
        return pawl_store_limit(fault, "the posts of one batch", all->post_count, PAWL_STORE_POSTS_MAX);
    return PAWL_OK;
}

/* The rows of the session go first: they can be refused, and nothing behind them can but for want of memory or a device
 * that fails, which fails the whole round and leaves nothing half done. */
pawl_status pawl_store_stage_post_all(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_post_all *all = op->request;
    uint64_t revision = 0;
    pawl_status status = check_all(all, fault);
    if (status != PAWL_OK)
        return status;
    one_of_many *items = pawl_store_arena_take(&round->arena, (all->post_count + 1) * sizeof *items);
    if (items == NULL)
        return pawl_fault_nomem(fault);
    for (size_t i = 0; i < all->post_count && status == PAWL_OK; i++)
        status = look_at(round, all->posts[i], &items[i], fault);
    const pawl_queue_settle settle = {.struct_size = sizeof settle,
                                      .session = all->session,
                                      .expected_revision = PAWL_REVISION_ANY,
                                      .changes = all->changes,
                                      .change_count = all->change_count};
    if (status == PAWL_OK)
        status = pawl_store_session_stage(round->registry->store, &settle, &round->rows, &revision, fault);
    for (size_t i = 0; i < all->post_count && status == PAWL_OK; i++) {
        uint64_t sequence = 0;
        if (all->is_new != NULL)
            all->is_new[i] = items[i].stage != NULL;
        if (items[i].stage == NULL)
            continue;
        status = pawl_store_stage_posted(round, items[i].stage, items[i].leased, all->posts[i], &sequence, fault);
        if (status != PAWL_OK)
            round->rows.bytes.failed = true;
        op->count++;
    }
    return status;
}
