/* inbox.h: the queues of sessions: what events delivered, who has claimed it, what was set aside, who waits. Owns the
 * families INBOX and DELIVERY. Items are put there by the committer, in the batch of their event, and touched
 * afterwards only by the functions of pawl_queue_table, under the lock of the session; the two never write the same
 * row, but 'n' (inbox_wait.c says why they may).
 *
 * Rows: 'i', session, item -> the item (never changed); 'c', likewise -> its claims: token (0: given back), until when
 * it is held (or may not be claimed), how often it was claimed, by whom; 'x', likewise -> an item set aside, in the
 * place of the other two; 'w', session, number of a process -> it waits, and what it is to be told (the committer's);
 * 'n', session, 0 -> something has changed for those who wait; 'k', session, hash of a process id -> under which key
 * that process has settled something last. DELIVERY: number, session, event type, key -> item, until the process is
 * pruned. */
#ifndef PAWL_STORE_INBOX_H
#define PAWL_STORE_INBOX_H

#include "round.h"

#define STORE_INBOX_ITEM    'i'
#define STORE_INBOX_CLAIM   'c'
#define STORE_INBOX_DEAD    'x'
#define STORE_INBOX_WAIT    'w'
#define STORE_INBOX_NEWS    'n'
#define STORE_INBOX_SETTLED 'k'

/** Who has an item. Bytes point into the row. */
typedef struct pawl_store_inbox_claims {
    uint64_t token; /* 0: nobody */
    uint64_t until_unix_ns;
    uint32_t count;
    pawl_bytes consumer;
} pawl_store_inbox_claims;

/* ---- inbox_row.c ---- */

void pawl_store_inbox_key(pawl_key *key, uint8_t tag, pawl_bytes session, uint64_t item);
/** The first bytes of all keys of a session; with an empty session: of all keys of this tag. */
void pawl_store_inbox_prefix(pawl_key *key, uint8_t tag, pawl_bytes session);
void pawl_store_inbox_put_item(pawl_batch *batch, const pawl_key *key, const pawl_queue_item *item);
void pawl_store_inbox_put_claims(pawl_batch *batch, const pawl_key *key, const pawl_store_inbox_claims *claims);
/** Decode a row; state, token and times of a claim are not in it. The key gives the item's number. */
pawl_status pawl_store_inbox_decode(pawl_bytes key, pawl_bytes value, pawl_queue_item *item, pawl_fault *fault);
pawl_status pawl_store_inbox_decode_claims(pawl_bytes key, pawl_bytes value, pawl_store_inbox_claims *claims,
                                           pawl_fault *fault);
/** Take a key apart. False: it is none. */
bool pawl_store_inbox_key_parts(pawl_bytes key, uint8_t *tag, pawl_bytes *session, uint64_t *item);

pawl_status pawl_store_inbox_check(const pawl_store *store, const pawl_delivery *delivery, pawl_fault *fault);
void pawl_store_key_delivery(pawl_key *key, uint64_t number, const pawl_delivery *delivery);
/** Was something with this key delivered before, by what is stored? */
pawl_status pawl_store_inbox_is_known(pawl_store_round *round, uint64_t number, const pawl_delivery *delivery,
                                      bool *known, pawl_fault *fault);
/** Put the item of a posted event into the round. */
void pawl_store_inbox_stage(pawl_store_round *round, const pawl_store_stage *stage, const pawl_delivery *delivery,
                            uint64_t sequence, uint64_t item);
/** Forget what a process delivered, as far as telling repetitions goes. */
pawl_status pawl_store_inbox_forget_process(pawl_store_round *round, uint64_t number, pawl_fault *fault);
/** Delete the queue of a session. */
void pawl_store_inbox_forget_session(pawl_batch *batch, pawl_bytes session);

/* ---- inbox_wait.c: processes that wait ---- */

/** Those who wait for a queue, found before anything is staged, so that telling them cannot fail. */
typedef struct pawl_store_queue_waiter {
    struct pawl_store_queue_waiter *next;
    uint64_t number;
    pawl_store_parent told; /* stage NULL: it has ended, or was told in this round */
} pawl_store_queue_waiter;

/** QUEUE_WAIT. What delivers in the same round waits for the next one. */
pawl_status pawl_store_stage_queue_wait(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
/** PAWL_PENDING: not in this round. */
pawl_status pawl_store_queue_waiters_find(pawl_store_round *round, pawl_bytes session, pawl_store_queue_waiter **ret,
                                          pawl_fault *fault);
/** Stage that they are told, and wait no more. */
void pawl_store_queue_waiters_tell(pawl_store_round *round, pawl_bytes session, const pawl_store_queue_waiter *first);
/** Tell those whose queue was changed by what is no round of the committer. */
void pawl_store_stage_queue_news(pawl_store_round *round);
/** Is there more to do? */
bool pawl_store_queue_news_left(const pawl_store_registry *registry);
/** A write of the functions below changes a queue for those who wait, if anybody does: *tell. Under the session's lock;
 *  after the write, and without the lock, pawl_store_queue_news_tell. */
pawl_status pawl_store_queue_news_stage(pawl_store *store, pawl_bytes session, pawl_batch *batch, bool *tell,
                                        pawl_fault *fault);
void pawl_store_queue_news_tell(pawl_store *store);
/** A process is removed: what is left of its waiting and settling goes. */
pawl_status pawl_store_queue_forget(pawl_store_round *round, const pawl_store_stage *stage, pawl_fault *fault);

void pawl_store_inbox_put_settled(pawl_batch *batch, const pawl_queue_settle *settle);
/** PAWL_E_NOT_FOUND: this is not what the holder has settled last. */
pawl_status pawl_store_inbox_was_settled(pawl_store *store, const pawl_queue_settle *settle, pawl_fault *fault);

/* ---- inbox.c: pawl_queue_table ---- */

pawl_status pawl_store_inbox_claim(pawl_store *store, const pawl_queue_claim *claim, pawl_queue_visit visit,
                                   void *context, uint64_t *again_unix_ns, pawl_failure_sink *why);
pawl_status pawl_store_inbox_settle(pawl_store *store, const pawl_queue_settle *settle, uint64_t *revision,
                                    pawl_failure_sink *why);
pawl_status pawl_store_inbox_list(pawl_store *store, pawl_bytes session, uint32_t dead, uint64_t after, uint32_t limit,
                                  pawl_queue_visit visit, void *context, pawl_failure_sink *why);
pawl_status pawl_store_inbox_tend(pawl_store *store, pawl_bytes session, uint32_t action, const uint64_t *items,
                                  size_t count, uint64_t *done, pawl_failure_sink *why);

#endif
