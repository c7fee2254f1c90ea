/* step.c: why it exists: asynchronous operations as one-liners in tests. It must never free what the provider may still
 * point to. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

static struct step *new_step(struct world *world, uint32_t kind)
{
    struct step *step = calloc(1, sizeof(*step));
    if (!step)
        abort();
    step->world = world;
    step->pending.host = world->host;
    step->op.struct_size = sizeof(step->op);
    step->op.kind = kind;
    step->op.request = &step->request;
    step->op.host_data = &step->pending;
    step->op.why = &step->why;
    pthread_mutex_lock(&world->mutex);
    step->next = world->steps;
    step->link = &world->steps;
    if (step->next)
        step->next->link = &step->next;
    world->steps = step;
    pthread_mutex_unlock(&world->mutex);
    return step;
}

void step_free(struct step *step)
{
    pthread_mutex_lock(&step->world->mutex);
    *step->link = step->next;
    if (step->next)
        step->next->link = step->link;
    pthread_mutex_unlock(&step->world->mutex);
    for (size_t i = 0; i < step->copy_count; i++)
        free(step->copies[i]);
    free(step);
}

void step_free_all(struct world *world)
{
    while (world->steps)
        step_free(world->steps);
}

pawl_bytes step_keep(struct step *step, pawl_bytes bytes)
{
    if (bytes.size == 0)
        return bytes_of(NULL, 0);
    void *copy = malloc(bytes.size);
    if (!copy || step->copy_count == sizeof(step->copies) / sizeof(step->copies[0]))
        abort();
    memcpy(copy, bytes.data, bytes.size);
    step->copies[step->copy_count++] = copy;
    return bytes_of(copy, bytes.size);
}

static uint64_t mix(uint64_t hash, pawl_bytes bytes)
{
    const uint8_t *data = bytes.data;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ bytes.size) * UINT64_C(0x100000001b3);
}

void fingerprint_of(pawl_bytes a, pawl_bytes b, uint8_t fingerprint[16])
{
    uint64_t halves[2] = {mix(mix(UINT64_C(0xcbf29ce484222325), a), b), mix(mix(UINT64_C(0x9e3779b97f4a7c15), b), a)};
    memcpy(fingerprint, halves, 16);
}

static pawl_bytes keep_fingerprint(struct step *step, pawl_bytes a, pawl_bytes b)
{
    uint8_t fingerprint[16];
    fingerprint_of(a, b, fingerprint);
    return step_keep(step, bytes_of(fingerprint, sizeof(fingerprint)));
}

struct step *step_register(struct world *world, const char *id, const char *type, const char *input)
{
    struct step *step = new_step(world, PAWL_OP_REGISTER);
    pawl_register *request = &step->request.registration;
    request->struct_size = sizeof(*request);
    request->revision = 1;
    request->id = step_keep(step, text_bytes(id));
    request->type = step_keep(step, text_bytes(type));
    request->plugin = step_keep(step, text_bytes("com.example.conformance"));
    request->input = step_keep(step, text_bytes(input));
    request->fingerprint = keep_fingerprint(step, request->type, request->input);
    return step;
}

struct step *step_commit(struct world *world, uint32_t kind, uint64_t number, uint64_t token, uint64_t seen)
{
    struct step *step = new_step(world, kind);
    pawl_commit *request = &step->request.commit;
    request->struct_size = sizeof(*request);
    request->number = number;
    request->token = token;
    request->seen = seen;
    request->records = step->records;
    request->record_size = sizeof(step->records[0]);
    return step;
}

void step_record(struct step *step, uint32_t kind, pawl_bytes body)
{
    if (step->record_count == sizeof(step->records) / sizeof(step->records[0]))
        abort();
    pawl_record *record = &step->records[step->record_count++];
    record->struct_size = sizeof(*record);
    record->kind = kind;
    record->body = step_keep(step, body);
    step->request.commit.record_count = step->record_count;
}

void step_document(struct step *step, const char *document)
{
    step->document = step_keep(step, text_bytes(document));
    step->request.commit.document = &step->document;
}

struct step *step_append(struct world *world, uint64_t number, uint64_t token, const char *body)
{
    struct step *step = step_commit(world, PAWL_OP_APPEND, number, token, 0);
    step_record(step, KIND_NOTE, text_bytes(body));
    return step;
}

struct step *step_suspend(struct world *world, uint64_t number, uint64_t token, uint64_t seen, uint64_t wake_unix_ns)
{
    struct step *step = step_commit(world, PAWL_OP_SUSPEND, number, token, seen);
    step->request.commit.wake_unix_ns = wake_unix_ns;
    step->request.commit.reason = step_keep(step, text_bytes("waits"));
    return step;
}

struct step *step_complete(struct world *world, uint64_t number, uint64_t token, uint64_t seen, uint32_t status,
                           const char *outcome)
{
    struct step *step = step_commit(world, PAWL_OP_COMPLETE, number, token, seen);
    step->request.commit.status = status;
    step_record(step, PAWL_RECORD_ENDED, text_bytes(outcome));
    return step;
}

struct step *step_park(struct world *world, uint64_t number, uint64_t token, const char *reason)
{
    struct step *step = step_commit(world, PAWL_OP_PARK, number, token, 0);
    step->request.commit.reason_code = step_keep(step, text_bytes("test.parked"));
    step->request.commit.reason = step_keep(step, text_bytes(reason));
    step_record(step, PAWL_RECORD_PARKED, text_bytes(reason));
    return step;
}

struct step *step_post(struct world *world, uint32_t kind, const char *id, const char *post_id, const char *body)
{
    struct step *step = new_step(world, PAWL_OP_POST);
    pawl_post *request = &step->request.post;
    request->struct_size = sizeof(*request);
    request->kind = kind;
    request->id = step_keep(step, text_bytes(id));
    request->post_id = step_keep(step, text_bytes(post_id));
    request->body = step_keep(step, text_bytes(body));
    request->fingerprint = keep_fingerprint(step, text_bytes("post"), request->body);
    return step;
}

struct step *step_force(struct world *world, const char *id, const char *post_id, uint32_t status, const char *body)
{
    struct step *step = step_post(world, PAWL_RECORD_ENDED, id, post_id, body);
    step->request.post.status = status;
    step->request.post.force = 1;
    return step;
}

struct step *step_watch(struct world *world, const char *id, uint64_t after, uint64_t kinds)
{
    struct step *step = new_step(world, PAWL_OP_WATCH);
    pawl_watch *request = &step->request.watch;
    request->struct_size = sizeof(*request);
    request->id = step_keep(step, text_bytes(id));
    request->after = after;
    request->kinds = kinds;
    return step;
}

struct step *step_queue_wait(struct world *world, const char *id, const char *session, const char *body)
{
    struct step *step = new_step(world, PAWL_OP_QUEUE_WAIT);
    pawl_queue_wait *request = &step->request.queue_wait;
    request->struct_size = sizeof(*request);
    request->id = step_keep(step, text_bytes(id));
    request->session = step_keep(step, text_bytes(session));
    request->body = step_keep(step, text_bytes(body));
    return step;
}

struct step *step_prune(struct world *world, uint64_t ended_before_unix_ns, uint32_t limit)
{
    struct step *step = new_step(world, PAWL_OP_PRUNE);
    pawl_prune *request = &step->request.prune;
    request->struct_size = sizeof(*request);
    request->limit = limit;
    request->ended_before_unix_ns = ended_before_unix_ns;
    return step;
}

static const pawl_post *keep_cancel(struct step *step, const char *id)
{
    const pawl_post post = {.struct_size = sizeof post,
                            .kind = PAWL_RECORD_CANCEL,
                            .id = step_keep(step, text_bytes(id)),
                            .post_id = step_keep(step, text_bytes("cancel all")),
                            .fingerprint = keep_fingerprint(step, text_bytes("cancel"), text_bytes("all")),
                            .body = step_keep(step, text_bytes("as asked"))};
    return step_keep(step, bytes_of(&post, sizeof post)).data;
}

struct step *step_cancel_all(struct world *world, const char *const *ids, const char *session, const char *mark)
{
    struct step *step = new_step(world, PAWL_OP_POST_ALL);
    pawl_post_all *request = &step->request.post_all;
    const pawl_post *posts[6];
    uint8_t is_new[6] = {0};
    const pawl_session_change change = {.struct_size = sizeof change,
                                        .kind = PAWL_SESSION_PUT,
                                        .key = step_keep(step, text_bytes("mark")),
                                        .value = step_keep(step, text_bytes(mark))};
    const void *kept = step_keep(step, bytes_of(&change, sizeof change)).data;
    request->struct_size = sizeof(*request);
    for (; ids[request->post_count] != NULL; request->post_count++)
        posts[request->post_count] = keep_cancel(step, ids[request->post_count]);
    request->posts = step_keep(step, bytes_of(posts, request->post_count * sizeof(*posts))).data;
    request->is_new = (uint8_t *)(uintptr_t)step_keep(step, bytes_of(is_new, sizeof is_new)).data;
    request->session = step_keep(step, text_bytes(session));
    request->changes = step_keep(step, bytes_of(&kept, sizeof kept)).data;
    request->change_count = 1;
    return step;
}

void step_submit(struct step *step)
{
    pawl_registry_op *op = &step->op;
    host_submit(step->world->host, step->world->registry, step->world->store, &op, 1);
}

pawl_status step_wait(struct step *step)
{
    if (host_wait(step->world->host, &step->pending))
        return step->op.status;
    host_violation(step->world->host, "an operation of kind %u was not completed in %d s\n", step->op.kind,
                   HOST_WAIT_S);
    return PAWL_E_DEADLINE;
}

pawl_status step_run(struct step *step)
{
    step_submit(step);
    return step_wait(step);
}

const struct step *step_ok(struct step *step)
{
    pawl_status status = step_run(step);
    if (status != PAWL_OK)
        fail_msg("an operation of kind %u failed: %d %s: %s", step->op.kind, status, step->why.code, step->why.message);
    world_settle(step->world);
    return step;
}

const struct step *step_refused(struct step *step, pawl_status expected)
{
    char *before = view_dump(step->world);
    pawl_status status = step_run(step);
    char *after = view_dump(step->world);
    bool same = strcmp(before, after) == 0;
    if (!same)
        view_print_difference(before, after);
    free(before);
    free(after);
    if (status != expected)
        fail_msg("an operation of kind %u: status %d instead of %d (%s: %s)", step->op.kind, status, expected,
                 step->why.code, step->why.message);
    if (!same)
        fail_msg("a refused operation of kind %u left a trace", step->op.kind);
    world_settle(step->world);
    return step;
}

/* ---- a held process ---- */

struct lease lease_claim(struct world *world, const char *id)
{
    struct row row;
    pawl_status status = claim_id(world, world->worker, id, &row);
    if (status != PAWL_OK || row.number == 0)
        fail_msg("claim of %s: status %d, %s %s", id, status, world->why.code, world->why.message);
    assert_int_equal(row.status, PAWL_RUNNING);
    struct lease lease = {.number = row.number, .token = row.token, .seen = row.head, .reopenings = world->reopenings};
    snprintf(lease.id, sizeof(lease.id), "%s", id);
    return lease;
}

struct lease lease_new(struct world *world, const char *id, const char *type)
{
    step_ok(step_register(world, id, type, "input"));
    return lease_claim(world, id);
}

void lease_regain(struct world *world, struct lease *lease)
{
    if (lease->reopenings == world->reopenings)
        return;
    struct lease again = lease_claim(world, lease->id);
    assert_int_equal(again.number, lease->number);
    assert_true(again.token > lease->token);
    assert_true(again.seen >= lease->seen);
    uint64_t seen = lease->seen;
    *lease = again;
    lease->seen = seen;
}

uint64_t lease_append(struct world *world, struct lease *lease, const char *body)
{
    lease_regain(world, lease);
    const struct step *step = step_ok(step_append(world, lease->number, lease->token, body));
    lease->seen = step->op.sequence;
    lease_regain(world, lease);
    return step->op.sequence;
}

void lease_suspend(struct world *world, struct lease *lease, uint64_t wake_unix_ns)
{
    lease_regain(world, lease);
    const struct step *step = step_ok(step_suspend(world, lease->number, lease->token, lease->seen, wake_unix_ns));
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, 0);
}

void lease_complete(struct world *world, struct lease *lease, uint32_t status, const char *outcome)
{
    lease_regain(world, lease);
    const struct step *step = step_ok(step_complete(world, lease->number, lease->token, lease->seen, status, outcome));
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, 0);
    assert_int_equal(step->op.sequence, lease->seen + 1);
}

void lease_park(struct world *world, struct lease *lease, const char *reason)
{
    lease_regain(world, lease);
    step_ok(step_park(world, lease->number, lease->token, reason));
}
