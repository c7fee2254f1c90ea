/* pawl_queue.h: the queue of a process's session, for process code: take what events have delivered, work, acknowledge.
 * Inline functions over calls of the host's own operations ("pawl.queue.receive", "pawl.queue.settle"), like those of
 * pawl_session.h. Nothing of it is ABI and it keeps no state. C99 and later, C++11 and later. docs/events.md has the
 * rules.
 *
 *     pawl_received received;
 *     pawl_received_item item;
 *     for (;;) {
 *         PAWL_TRY(pawl_queue_receive(p, NULL, &received));
 *         while (pawl_queue_next(&received, &item))
 *             PAWL_TRY(pawl_call(p, "mail.send", item.body, NULL));
 *         PAWL_TRY(pawl_queue_acknowledge(p, &received));
 *     }
 *
 * Every function is [instance], inside activate. Bytes that come out live until activate returns. All fail with
 * "session.none" (PAWL_E_FAILED) in a process that belongs to no session. */
#ifndef PAWL_QUEUE_H
#define PAWL_QUEUE_H

#include "pawl_session.h"

#define PAWL_QUEUE_FOREVER  ((uint64_t)0)
#define PAWL_QUEUE_NO_WAIT  UINT64_MAX
#define PAWL_QUEUE_LEASE_NS (5 * PAWL_MINUTE)

/* Choices for receiving; change what is to be different. */
typedef struct pawl_queue_options {
    uint32_t limit;      /* items at most, of neighbours that may go together; 1..1000 */
    uint32_t claims_max; /* one that was claimed so often in vain is set aside as dead; 0: never */
    uint64_t lease_ns;   /* how long nobody else can claim them */
    uint64_t timeout_ns; /* how long to wait for something; PAWL_QUEUE_FOREVER, PAWL_QUEUE_NO_WAIT */
} pawl_queue_options;

/* What was received. */
typedef struct pawl_received {
    uint64_t token;
    uint64_t count;
    pawl_bytes rows; /* of the items that pawl_queue_next has not taken */
    pawl_bytes all;
} pawl_received;

typedef struct pawl_received_item {
    uint64_t item;      /* its number in the queue */
    uint64_t sequence;  /* of the event that delivered it, in its process */
    uint32_t claims;    /* how often it was claimed, this time counted */
    pawl_bytes process; /* id */
    pawl_bytes type;    /* of the event */
    pawl_bytes key;     /* may be empty */
    pawl_bytes body;    /* JSON */
} pawl_received_item;

PAWL_INLINE_ pawl_queue_options pawl_queue_defaults(void)
{
    pawl_queue_options options;
    options.limit = 1;
    options.claims_max = 5;
    options.lease_ns = PAWL_QUEUE_LEASE_NS;
    options.timeout_ns = PAWL_QUEUE_FOREVER;
    return options;
}

/* One look at the queue. *after_ns and *again_unix_ns: when nothing was there, when to look again; 0: when told. */
PAWL_INLINE_ pawl_status pawl_queue_look_(pawl_process *p, const pawl_queue_options *options, pawl_received *received,
                                          uint64_t *after_ns, uint64_t *again_unix_ns)
{
    pawl_bytes text =
        pawl_printf(p, "%lu %llu %lu %d\n", (unsigned long)options->limit, (unsigned long long)options->lease_ns,
                    (unsigned long)options->claims_max, options->timeout_ns != PAWL_QUEUE_NO_WAIT);
    PAWL_TRY(pawl_call(p, "pawl.queue.receive", text, &text));
    received->token = pawl_session_number_(&text);
    (void)pawl_session_take_(&text, 1);
    received->count = pawl_session_number_(&text);
    (void)pawl_session_take_(&text, 1);
    received->all = received->rows = text;
    if (received->token == 0) {
        *after_ns = received->count;
        *again_unix_ns = pawl_session_number_(&text);
        received->count = 0;
        received->all = received->rows = pawl_bytes_of("", 0);
    }
    return PAWL_OK;
}

/* Claim the next item, or the next ones, of the session's queue; waits while there is nothing, on disk, until it is
 * told. options may be NULL. PAWL_E_DEADLINE: nothing came in time. What is received must be acknowledged or released;
 * when the lease is over the next claim gets it, whoever's that is. */
PAWL_INLINE_ pawl_status pawl_queue_receive(pawl_process *p, const pawl_queue_options *options, pawl_received *received)
{
    pawl_queue_options own = options == NULL ? pawl_queue_defaults() : *options;
    pawl_future futures[3], late = 0, again = 0;
    uint64_t after_ns = 0, look_unix_ns = 0, again_unix_ns = 0;
    for (;;) {
        size_t count = 0;
        int first = 0;
        PAWL_TRY(pawl_queue_look_(p, &own, received, &after_ns, &look_unix_ns));
        if (received->token != 0)
            return PAWL_OK;
        if (own.timeout_ns == PAWL_QUEUE_NO_WAIT)
            return PAWL_E_DEADLINE;
        futures[count++] = pawl_wait_signal(p, "pawl.queue");
        if (late == 0 && own.timeout_ns != PAWL_QUEUE_FOREVER)
            late = pawl_start_timer(p, own.timeout_ns);
        if (late != 0)
            futures[count++] = late;
        if (after_ns != 0 && (again == 0 || look_unix_ns < again_unix_ns)) { /* else the one that is open comes first */
            again = pawl_start_timer(p, after_ns);
            again_unix_ns = look_unix_ns;
        }
        if (again != 0)
            futures[count++] = again;
        PAWL_TRY(pawl_await_any_of(p, &first, futures, count));
        if (late != 0 && first == 1)
            return PAWL_E_DEADLINE;
        if (futures[first] == again)
            again = 0;
    }
}

/* The next of the received items; *item is that. 0: there is none left. */
PAWL_INLINE_ int pawl_queue_next(pawl_received *received, pawl_received_item *item)
{
    uint64_t sizes[4];
    size_t i;
    pawl_bytes *rows = &received->rows;
    if (rows->size == 0)
        return 0;
    item->item = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    item->sequence = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    item->claims = (uint32_t)pawl_session_number_(rows);
    for (i = 0; i < 4; i++) {
        (void)pawl_session_take_(rows, 1);
        sizes[i] = pawl_session_number_(rows);
    }
    (void)pawl_session_take_(rows, 1);
    item->process = pawl_session_take_(rows, sizes[0]);
    item->type = pawl_session_take_(rows, sizes[1]);
    item->key = pawl_session_take_(rows, sizes[2]);
    item->body = pawl_session_take_(rows, sizes[3]);
    (void)pawl_session_take_(rows, 1);
    return 1;
}

/* "ACTION TOKEN DELAY COMMIT COUNT ITEM...\n"; its data is NULL when there is no memory. */
PAWL_INLINE_ pawl_bytes pawl_queue_settle_text_(pawl_process *p, const pawl_received *received, uint32_t action,
                                                uint64_t delay_ns, int commits)
{
    pawl_received all = *received;
    pawl_received_item item;
    size_t room = 96 + 22 * (size_t)received->count, used;
    char *text = (char *)pawl_alloc(p, room);
    if (text == NULL)
        return pawl_bytes_of(NULL, 0);
    all.rows = received->all;
    used = (size_t)snprintf(text, room, "%lu %llu %llu %d %llu", (unsigned long)action,
                            (unsigned long long)received->token, (unsigned long long)delay_ns, commits,
                            (unsigned long long)received->count);
    while (pawl_queue_next(&all, &item))
        used += (size_t)snprintf(text + used, room - used, " %llu", (unsigned long long)item.item);
    text[used++] = '\n';
    return pawl_bytes_of(text, used);
}

/* PAWL_E_BUSY: the lease was over, and somebody else has claimed it since. */
PAWL_INLINE_ pawl_status pawl_queue_settled_(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    pawl_failure failure;
    pawl_status status = pawl_await(p, future);
    if (status == PAWL_OK)
        status = pawl_result(p, future, value);
    if (status == PAWL_E_FAILED && pawl_result_failure(p, future, &failure) == PAWL_OK &&
        pawl_is(failure.code, "queue.claim_expired"))
        return PAWL_E_BUSY;
    return status;
}

PAWL_INLINE_ pawl_status pawl_queue_settle_(pawl_process *p, const pawl_received *received, uint32_t action,
                                            uint64_t delay_ns)
{
    pawl_bytes text = pawl_queue_settle_text_(p, received, action, delay_ns, 0);
    if (text.data == NULL)
        return PAWL_E_NOMEM;
    return pawl_queue_settled_(p, pawl_start_call(p, "pawl.queue.settle", text), NULL);
}

/* Done with all of it: it is gone. One after another, not several at once. PAWL_E_BUSY: nothing was done, for the lease
 * was over and somebody else has claimed it since. So it is with the next three. */
PAWL_INLINE_ pawl_status pawl_queue_acknowledge(pawl_process *p, const pawl_received *received)
{
    return pawl_queue_settle_(p, received, PAWL_QUEUE_ACKNOWLEDGE, 0);
}

/* Give it back, to be claimed again after this time. */
PAWL_INLINE_ pawl_status pawl_queue_release(pawl_process *p, const pawl_received *received, uint64_t delay_ns)
{
    return pawl_queue_settle_(p, received, PAWL_QUEUE_RELEASE, delay_ns);
}

/* Hold it for this time from now. */
PAWL_INLINE_ pawl_status pawl_queue_extend(pawl_process *p, const pawl_received *received, uint64_t lease_ns)
{
    return pawl_queue_settle_(p, received, PAWL_QUEUE_EXTEND, lease_ns);
}

/* Acknowledge it and commit changes of the session's state (pawl_session_commit): both, or neither. PAWL_E_STALE: the
 * session has another revision, now in *revision. */
PAWL_INLINE_ pawl_status pawl_queue_acknowledge_and_commit(pawl_process *p, const pawl_received *received,
                                                           uint64_t expected_revision,
                                                           const pawl_session_change *changes, size_t count,
                                                           uint64_t *revision)
{
    pawl_future future;
    pawl_status status;
    pawl_bytes text = pawl_queue_settle_text_(p, received, PAWL_QUEUE_ACKNOWLEDGE, 0, 1);
    if (text.data != NULL)
        text = pawl_session_commit_text_(p, text, expected_revision, changes, count);
    if (text.data == NULL)
        return PAWL_E_NOMEM;
    future = pawl_start_call(p, "pawl.queue.settle", text);
    status = pawl_queue_settled_(p, future, NULL);
    return status == PAWL_OK || status == PAWL_E_FAILED ? pawl_session_committed(p, future, revision) : status;
}

#endif /* PAWL_QUEUE_H */
