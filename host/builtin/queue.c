/* queue.c: the queue of the calling process's session: "pawl.queue.receive" and "pawl.queue.settle". A claim is
 * held under the name of the call, so an attempt that is repeated, by whichever worker, is given the same items; what
 * was settled is remembered under the key of the call. Never waits: when there is nothing, the process is put among
 * those whom the store tells, and looks again when it was.
 *
 *     receive  input: LIMIT " " LEASE_NS " " CLAIMS_MAX " " WAIT "\n" (WAIT: 1, or 0 not to be told)
 *              output: TOKEN " " COUNT "\n", then of each item: ITEM " " SEQUENCE " " CLAIMS " " SIZE " " SIZE " " SIZE
 *              " " SIZE "\n" PROCESS TYPE KEY BODY "\n"; or "0 " and after how many nanoseconds that may change by
 *              itself (0: never), " " and when
 *     settle   input: ACTION " " TOKEN " " DELAY_NS " " COMMIT " " COUNT, then " " ITEM of each, "\n"; with COMMIT 1
 *              what a session commit says (session.c)
 *              output: with COMMIT 1 the REVISION, else nothing
 */
#include "host/builtin/builtin.h"

#include "host/host_internal.h"
#include "worker/base/sink.h"
#include "worker/effect/context.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ITEMS_MAX   1000u
#define SIGNAL_NAME "pawl.queue" /* pawl_queue.h waits for it */

static pawl_host *host_of(const pawl_builtin_call *own)
{
    return (pawl_host *)((char *)own->facet - offsetof(struct pawl_host, attachments));
}

static pawl_status refuse(pawl_builtin_call *own, const pawl_error *error, pawl_status status)
{
    return pawl_builtin_fail(own, status, PAWL_TERMINAL, error->code, error->message, NULL);
}

static pawl_status find_table(pawl_builtin_call *own, const pawl_queue_table **ret)
{
    pawl_error error = {0};
    if (own->call->context->session.size == 0)
        return pawl_builtin_no_session(own);
    pawl_status status = pawl_host_queue_table(host_of(own), ret, &error);
    if (status == PAWL_OK && (host_of(own)->registry.table.features & PAWL_REGISTRY_QUEUE_WAITS) == 0)
        status = pawl_error_set(&error, PAWL_E_UNSUPPORTED, "queue.unsupported",
                                "the store of the process registry lets no process wait for a queue");
    return status == PAWL_OK ? status : refuse(own, &error, status);
}

/* ---- receiving ---- */

typedef struct receiving {
    pawl_builtin_call *own;
    const pawl_queue_table *table;
    pawl_queue_claim claim;
    pawl_sink items; /* as they go into the output */
    uint64_t token;
    uint64_t again_unix_ns;
    size_t count;             /* in items */
    uint64_t over[ITEMS_MAX]; /* claimed, and too large for the output */
    size_t over_count;
} receiving;

static bool append(receiving *r, const pawl_queue_item *item)
{
    char head[160];
    const pawl_bytes parts[] = {item->process, item->type, item->key, item->body};
    int size = snprintf(head, sizeof head, "%" PRIu64 " %" PRIu64 " %u %zu %zu %zu %zu\n", item->item, item->sequence,
                        item->claims, parts[0].size, parts[1].size, parts[2].size, parts[3].size);
    size_t whole = (size_t)size + 1;
    for (size_t i = 0; i < 4; i++)
        whole += parts[i].size;
    if (whole > r->items.limit - pawl_sink_bytes(&r->items).size)
        return false;
    bool good = pawl_sink_write(&r->items, head, (size_t)size) == PAWL_OK;
    for (size_t i = 0; i < 4; i++)
        good = good && pawl_sink_write(&r->items, parts[i].data, parts[i].size) == PAWL_OK;
    return good && pawl_sink_write(&r->items, "\n", 1) == PAWL_OK;
}

static int32_t PAWL_CALL take(void *context, const pawl_queue_item *item)
{
    receiving *r = context;
    r->token = item->token;
    if (r->over_count == 0 && append(r, item))
        r->count++;
    else
        r->over[r->over_count++] = item->item;
    return 0;
}

static pawl_status claim(receiving *r)
{
    r->count = r->over_count = 0;
    return r->table->claim(host_of(r->own)->registry.store, &r->claim, take, r, &r->again_unix_ns, r->own->why);
}

/* The process is told when the queue changes, from here on. */
static pawl_status begin_to_wait(receiving *r)
{
    pawl_arena arena = {0};
    pawl_error error = {0};
    pawl_registry_op op;
    const pawl_entry entry = {.kind = PAWL_RECORD_NOTICE, .name = pawl_bytes_text(SIGNAL_NAME)};
    pawl_queue_wait wait = {
        .struct_size = sizeof wait, .session = r->own->call->context->session, .id = r->own->call->context->process};
    pawl_status status = pawl_entry_encode(&arena, &entry, &wait.body);
    if (status == PAWL_OK)
        status = pawl_registry_call(&host_of(r->own)->registry, &op, PAWL_OP_QUEUE_WAIT, &wait, &error);
    pawl_arena_finish(&arena);
    if (status == PAWL_OK)
        return status;
    bool passes = status == PAWL_E_FULL || status == PAWL_E_IO || status == PAWL_E_NOMEM || status == PAWL_E_CLOSED ||
                  status == PAWL_E_LIMIT;
    return pawl_builtin_fail(r->own, status, passes ? PAWL_RETRYABLE : PAWL_TERMINAL,
                             status == PAWL_E_LIMIT ? "queue.waits" : error.code, error.message, NULL);
}

/* What does not fit goes back, as if it had not been claimed; the first one, if it never will, is set aside in time. */
static pawl_status give_back(receiving *r)
{
    const pawl_queue_settle settle = {.struct_size = sizeof settle,
                                      .action = PAWL_QUEUE_RELEASE,
                                      .session = r->claim.session,
                                      .items = r->over,
                                      .item_count = r->over_count,
                                      .token = r->token,
                                      .claims_max = r->count == 0 ? r->claim.claims_max : 0};
    if (r->over_count == 0)
        return PAWL_OK;
    pawl_status status = r->table->settle(host_of(r->own)->registry.store, &settle, NULL, r->own->why);
    if (status == PAWL_OK && r->count == 0)
        status =
            pawl_builtin_fail(r->own, PAWL_E_LIMIT, PAWL_TERMINAL, "queue.too_large",
                              "the next item of the queue does not fit into a value with what stands around it", NULL);
    return status;
}

static pawl_status put_out(receiving *r)
{
    pawl_bytes items = pawl_sink_bytes(&r->items);
    if (r->count > 0) {
        pawl_status status = pawl_builtin_writef(r->own, "%" PRIu64 " %zu\n", r->token, r->count);
        return status == PAWL_OK ? pawl_sink_write(r->own->out, items.data, items.size) : status;
    }
    const pawl_host *host = host_of(r->own);
    uint64_t now = host->clock->unix_ns(host->clock);
    uint64_t again = r->again_unix_ns;
    uint64_t after = again == 0 ? 0 : again > now ? again - now : 1;
    return pawl_builtin_writef(r->own, "0 %" PRIu64 " %" PRIu64, after, again);
}

static pawl_status receive(receiving *r, bool wait)
{
    pawl_status status = claim(r);
    if (status == PAWL_OK && r->count + r->over_count == 0 && wait) {
        status = begin_to_wait(r);
        if (status == PAWL_OK)
            status = claim(r); /* what came meanwhile tells nobody */
    }
    if (status == PAWL_OK)
        status = give_back(r);
    return status == PAWL_OK ? put_out(r) : status;
}

pawl_status pawl_builtin_queue_receive(pawl_builtin_call *own)
{
    pawl_bytes line;
    pawl_bytes input = own->call->input;
    uint64_t limit, lease, claims_max, wait;
    char consumer[PAWL_BUILTIN_KEY_MAX + 1];
    if (!pawl_builtin_line(&input, &line) || !pawl_builtin_number(&line, &limit) ||
        !pawl_builtin_number(&line, &lease) || !pawl_builtin_number(&line, &claims_max) ||
        !pawl_builtin_number(&line, &wait) || line.size > 0 || input.size > 0 || limit == 0 || limit > ITEMS_MAX ||
        lease == 0 || claims_max > UINT32_MAX || wait > 1)
        return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "queue.invalid",
                                 "receiving wants \"LIMIT LEASE_NS CLAIMS_MAX WAIT\\n\": at most 1000 items, a lease, "
                                 "a count, 0 or 1",
                                 NULL);
    receiving r = {.own = own};
    pawl_status status = find_table(own, &r.table);
    if (status == PAWL_OK)
        status = pawl_builtin_key(own, consumer);
    if (status != PAWL_OK)
        return status;
    r.claim = (pawl_queue_claim){.struct_size = sizeof r.claim,
                                 .limit = (uint32_t)limit,
                                 .session = own->call->context->session,
                                 .consumer = pawl_bytes_text(consumer),
                                 .lease_ns = lease,
                                 .claims_max = (uint32_t)claims_max,
                                 .resume = 1};
    pawl_sink_init(&r.items, own->out->limit > 64 ? own->out->limit - 64 : 0);
    status = receive(&r, wait != 0);
    pawl_sink_finish(&r.items);
    return status;
}

/* ---- settling ---- */

typedef struct settling {
    pawl_queue_settle request;
    uint64_t items[ITEMS_MAX];
    uint64_t commits;
    char key[PAWL_BUILTIN_KEY_MAX + 1];
} settling;

/* *input: what is left is the commit. */
static bool read_settle(pawl_bytes *input, settling *s)
{
    pawl_bytes line;
    uint64_t action, count;
    if (!pawl_builtin_line(input, &line) || !pawl_builtin_number(&line, &action) ||
        !pawl_builtin_number(&line, &s->request.token) || !pawl_builtin_number(&line, &s->request.delay_ns) ||
        !pawl_builtin_number(&line, &s->commits) || !pawl_builtin_number(&line, &count) || action == 0 ||
        action > PAWL_QUEUE_EXTEND || s->commits > 1 || count == 0 || count > ITEMS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!pawl_builtin_number(&line, &s->items[i]))
            return false;
    s->request.action = (uint32_t)action;
    s->request.item_count = (size_t)count;
    return line.size == 0 && (s->commits == 1 ? action == PAWL_QUEUE_ACKNOWLEDGE : input->size == 0);
}

static pawl_status settle(pawl_builtin_call *own, const pawl_queue_table *table, const settling *s)
{
    uint64_t revision = 0;
    pawl_host *host = host_of(own);
    pawl_failure_slot unsaid; /* a provider does not say the revision in a way that a program could read */
    pawl_failure_init(&unsaid);
    pawl_status status = table->settle(host->registry.store, &s->request, &revision, &unsaid);
    pawl_host_queue_changed(host);
    bool session_stale = status == PAWL_E_STALE && s->commits == 1 && unsaid.set && unsaid.failure.code.size == 13 &&
                         memcmp(unsaid.failure.code.data, "session.stale", 13) == 0;
    if (status == PAWL_OK && s->commits == 1)
        status = pawl_builtin_writef(own, "%" PRIu64, revision);
    else if (session_stale)
        (void)pawl_builtin_stale(own, revision, s->request.expected_revision);
    else if (status != PAWL_OK && unsaid.set)
        pawl_failure_tell(own->why, &unsaid.failure);
    pawl_failure_finish(&unsaid);
    return status;
}

/* State and queue are in one batch only where one store has both. */
static pawl_status check_store(pawl_builtin_call *own)
{
    const pawl_host *host = host_of(own);
    if (own->facet->session_store == host->registry.store)
        return PAWL_OK;
    return pawl_builtin_fail(own, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "queue.other_store",
                             "the state of sessions is in another store than the queues, so nothing can be committed "
                             "with an acknowledgement",
                             NULL);
}

pawl_status pawl_builtin_queue_settle(pawl_builtin_call *own)
{
    settling s = {.request = {.struct_size = sizeof s.request,
                              .session = own->call->context->session,
                              .holder = own->call->context->process}};
    pawl_bytes input = own->call->input;
    const pawl_queue_table *table = NULL;
    pawl_builtin_commit commit = {0};
    if (!read_settle(&input, &s))
        return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "queue.invalid",
                                 "settling wants \"ACTION TOKEN DELAY_NS COMMIT COUNT ITEM...\\n\" and, with 1 as "
                                 "COMMIT, a commit",
                                 NULL);
    pawl_status status = find_table(own, &table);
    if (status == PAWL_OK && s.commits == 1)
        status = check_store(own);
    if (status == PAWL_OK)
        status = pawl_builtin_key(own, s.key);
    if (status == PAWL_OK && s.commits == 1)
        status = pawl_builtin_commit_read(own, input, &commit);
    s.request.items = s.items;
    s.request.commit_key = pawl_bytes_text(s.key);
    s.request.commit = (uint32_t)s.commits;
    s.request.expected_revision = commit.expected;
    s.request.changes = commit.list;
    s.request.change_count = commit.count;
    if (status == PAWL_OK && table != NULL)
        status = settle(own, table, &s);
    pawl_builtin_commit_finish(&commit);
    return status;
}
