/* resident/children.c: the children of a held process: how one is started, asked to stop and, when it does not stop,
 * ended. Each is one operation of the registry with an id of its own, so that doing it again does no harm; the end of a
 * child comes back as a record. What becomes of the children of a parent that has ended is not decided here but by the
 * store, in the batch that ends it. A resident stays in memory until the registry has answered all of this. */
#include "internal.h"
#include "worker/child.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define AGAIN_NS PAWL_NS_PER_SECOND

enum { START, ASK, END }; /* what an operation does to the child */

/* pawl_open_child.asked */
enum { NOT_ASKED = 0, ASKED = 1, ENDED_BY_FORCE = 2 };

/* An operation on its way to the registry and back. */
typedef struct pawl_child_op {
    pawl_message message; /* "it was answered" */
    pawl_resident *resident;
    pawl_request request;
    pawl_arena arena; /* of all its bytes */
    pawl_register start;
    pawl_post post;
    int what;
    uint64_t ordinal;
    uint8_t fingerprint[16];
} pawl_child_op;

static pawl_child_op *op_of(pawl_message *message)
{
    return (pawl_child_op *)message;
}

static void free_op(pawl_child_op *op)
{
    pawl_request_finish(&op->request);
    pawl_arena_finish(&op->arena);
    free(op);
}

/* On a thread of the store. */
static void answered(pawl_request *request)
{
    pawl_child_op *op = request->context;
    pawl_resident *r = op->resident;
    if (op->what == START && request->op.status == PAWL_OK && (request->op.flags & PAWL_RESULT_CLAIMED) != 0)
        pawl_worker_adopt(r->worker, request->op.number, request->op.token, (uint32_t)request->op.count, &op->start);
    pawl_shard_send(r->shard, &op->message);
}

static void on_answer(pawl_shard *shard, pawl_message *message);

static pawl_child_op *make_op(pawl_resident *r, int what, uint64_t ordinal)
{
    pawl_child_op *op = calloc(1, sizeof *op);
    if (op == NULL)
        return NULL;
    op->message.handle = on_answer;
    op->resident = r;
    op->what = what;
    op->ordinal = ordinal;
    return op;
}

static void submit(pawl_resident *r, pawl_child_op *op, uint32_t kind, const void *body)
{
    r->child_ops++;
    pawl_request_init(&op->request, kind, body, answered, op);
    pawl_shard_submit(r->shard, &op->request.op);
}

/* ---- starting ---- */

/* The same start gives the same bytes on every worker; another start of this parent, or of another one, never does. */
static void fingerprint(const pawl_resident *r, const pawl_open_call *open, pawl_child_op *op)
{
    uint8_t parts[16 + 8 + 8 + 16];
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(r->id.data, r->id.size));
    memcpy(parts, canonical.digest, 16);
    const uint64_t run = r->run | (uint64_t)pawl_activation_generation(r->activation, open->ordinal) << 32;
    for (size_t i = 0; i < 8; i++) {
        parts[16 + i] = (uint8_t)(run >> (8 * i));
        parts[24 + i] = (uint8_t)(open->ordinal >> (8 * i));
    }
    memcpy(parts + 32, open->digest, 16);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(parts, sizeof parts));
    memcpy(op->fingerprint, canonical.digest, sizeof op->fingerprint);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static bool fill_start(const pawl_resident *r, pawl_child_op *op, const pawl_open_call *open,
                       const pawl_child_request *request, const pawl_type *type)
{
    uint8_t note_bytes[PAWL_CHILD_NOTE_MAX];
    const pawl_child_note note = {.run = r->run,
                                  .generation = pawl_activation_generation(r->activation, open->ordinal),
                                  .ordinal = open->ordinal,
                                  .depth = r->depth + 1};
    const pawl_entry started = {.kind = PAWL_RECORD_STARTED, .value = request->input};
    const char *profile = r->worker->config.profile;
    bool told = (request->flags & PAWL_CHILD_DETACHED) == 0 || request->parent_close != PAWL_PARENT_CLOSE_ABANDON;
    fingerprint(r, open, op);
    op->start = (pawl_register){
        .struct_size = sizeof op->start,
        .revision = type->revision,
        .plugin = pawl_bytes_text(type->plugin),
        .profile = pawl_bytes_text(profile == NULL ? "" : profile),
        .fingerprint = {op->fingerprint, sizeof op->fingerprint},
        .parent_close = request->parent_close | (told ? 0 : PAWL_PARENT_CLOSE_UNTOLD),
        .claim_session = pawl_worker_session(r->worker),
        .priority = request->priority != 0 ? request->priority : r->priority,
    };
    if (request->deadline_ns != 0 &&
        __builtin_add_overflow(resident_unix_now(r), request->deadline_ns, &op->start.deadline_unix_ns))
        op->start.deadline_unix_ns = 0; /* it never comes */
    if (op->start.deadline_unix_ns != 0 && pawl_deadline_body(&op->arena, false, &op->start.deadline_body) != PAWL_OK)
        return false;
    if (!is_zero(type->digest, sizeof type->digest))
        op->start.digest = (pawl_bytes){type->digest, sizeof type->digest};
    return pawl_arena_copy(&op->arena, request->id, &op->start.id) &&
           pawl_arena_copy(&op->arena, request->type, &op->start.type) &&
           pawl_arena_copy(&op->arena, request->session, &op->start.session) &&
           pawl_arena_copy(&op->arena, request->key.size > 0 ? request->key : r->key, &op->start.key) &&
           pawl_arena_copy(&op->arena, r->id, &op->start.parent) &&
           pawl_arena_copy(&op->arena, pawl_child_note_encode(&note, note_bytes), &op->start.parent_note) &&
           pawl_entry_encode(&op->arena, &started, &op->start.input) == PAWL_OK &&
           pawl_child_close_body(&op->arena, request->parent_close, &op->start.close_body) == PAWL_OK;
}

static void refuse(pawl_resident *r, const pawl_open_call *open, const char *code, pawl_bytes message)
{
    const pawl_failure failure = {
        .struct_size = sizeof failure, .klass = PAWL_TERMINAL, .code = pawl_bytes_text(code), .message = message};
    pawl_resident_record_failure(r, open, open->attempts + 1, &failure);
}

/* As starts from outside are checked. One that was registered before a crash, under whichever version of the schema, is
 * there all the same. */
static bool child_input_fits(pawl_resident *r, const pawl_open_call *open, const pawl_child_request *request,
                             const pawl_type *type)
{
    pawl_bytes id;
    pawl_error why = {0};
    char message[sizeof why.message + 384];
    const pawl_contract *contract = type->contract;
    if (contract == NULL || contract->check(contract->input, request->input, &why) == PAWL_OK ||
        pawl_resident_child_was_started(r, open, &id))
        return true;
    snprintf(message, sizeof message, "the input of process type \"%s\" does not fit: %s", type->name, why.message);
    refuse(r, open, "schema.input", pawl_bytes_text(message));
    return false;
}

void pawl_resident_check_child(pawl_resident *r, const pawl_open_call *open)
{
    pawl_child_request request;
    if (!pawl_child_request_decode(open->input, &request))
        return; /* start_child says so */
    if (pawl_catalog_type(r->worker->config.catalog, request.type) == NULL)
        pawl_resident_park(r, "unknown_type",
                           PAWL_REASON_STARTS "%.*s, and this host has no such process type; add its "
                                              "plugin to the profile, then resume",
                           (int)request.type.size, (const char *)request.type.data);
}

void pawl_resident_start_child(pawl_resident *r, pawl_open_call *open)
{
    pawl_child_request request;
    pawl_effort *effort = open->worker_data;
    if (effort == NULL)
        return; /* parked for lack of memory */
    if (!pawl_child_request_decode(open->input, &request)) {
        pawl_resident_park(r, "contract", "command %llu starts a child and its request cannot be read",
                           (unsigned long long)open->ordinal);
        return;
    }
    const pawl_type *type = pawl_catalog_type(r->worker->config.catalog, request.type);
    if (type == NULL)
        return;                                                      /* parked by prepare */
    if (pawl_activation_child_ended(r->activation, open->ordinal)) { /* so it was started, before a crash */
        pawl_resident_record_value(r, open, open->attempts + 1, request.id);
        return;
    }
    if (r->depth >= PAWL_CHILD_DEPTH_MAX) {
        refuse(r, open, "child.too_deep",
               pawl_bytes_text("the process has 64 ancestors, as many as are allowed: it can start no child"));
        return;
    }
    if (!child_input_fits(r, open, &request, type))
        return;
    pawl_child_op *op = make_op(r, START, open->ordinal);
    if (op == NULL || !fill_start(r, op, open, &request, type)) {
        if (op != NULL)
            free_op(op);
        pawl_resident_park(r, "no_memory", "no memory to start the child of command %llu",
                           (unsigned long long)open->ordinal);
        return;
    }
    effort->settled = true; /* until it is answered */
    submit(r, op, PAWL_OP_REGISTER, &op->start);
}

/* The store could not do it now. */
static void start_again_later(pawl_resident *r, const pawl_open_call *open)
{
    pawl_effort *effort = open->worker_data;
    if (effort == NULL)
        return;
    effort->settled = false;
    effort->due_unix_ns = resident_unix_now(r) + AGAIN_NS;
}

static void settle_start(pawl_resident *r, pawl_child_op *op)
{
    pawl_open_call *open = pawl_resident_find_open(r, op->ordinal);
    pawl_error error = {0};
    pawl_status status = op->request.op.status;
    if (open == NULL)
        return;
    if (status != PAWL_OK)
        (void)pawl_failure_error(&op->request.failure, status, &error);
    uint32_t attempt = open->attempts + 1;
    switch (status) {
    case PAWL_OK:
        pawl_resident_record_value(r, open, attempt, op->start.id);
        return;
    case PAWL_E_CONFLICT:
        if (pawl_activation_child_ended(r->activation, op->ordinal)) /* and it is no longer retained */
            pawl_resident_record_value(r, open, attempt, op->start.id);
        else
            refuse(r, open, "child.conflict", pawl_bytes_text(error.message));
        return;
    case PAWL_E_INVALID:
        refuse(r, open, "child.invalid", pawl_bytes_text(error.message));
        return;
    case PAWL_E_LIMIT:
        refuse(r, open, "child.limit", pawl_bytes_text(error.message));
        return;
    case PAWL_E_UNSUPPORTED:
        refuse(r, open, "child.unsupported", pawl_bytes_text(error.message));
        return;
    default: /* also PAWL_E_STALE: then the lease is gone, and the event that says so is on its way */
        start_again_later(r, open);
    }
}

static int32_t note_parent(void *context, const pawl_process_row *row)
{
    pawl_arena *arena = ((void **)context)[0];
    pawl_bytes *parent = ((void **)context)[1];
    (void)pawl_arena_copy(arena, row->parent, parent);
    return 0;
}

bool pawl_resident_child_was_started(pawl_resident *r, const pawl_open_call *open, pawl_bytes *ret_id)
{
    pawl_child_request request;
    if (!pawl_child_request_decode(open->input, &request))
        return false;
    *ret_id = request.id;
    if (pawl_activation_child_ended(r->activation, open->ordinal))
        return true;
    pawl_arena arena = {0};
    pawl_bytes parent = {NULL, 0};
    void *context[] = {&arena, &parent};
    pawl_registry *registry = r->worker->config.registry;
    pawl_status status = registry->table.get(registry->store, request.id, note_parent, context, NULL);
    bool ours = status == PAWL_OK && parent.size == r->id.size && memcmp(parent.data, r->id.data, parent.size) == 0;
    pawl_arena_finish(&arena);
    return ours;
}

/* ---- stopping ---- */

static bool fill_post(pawl_child_op *op, const pawl_open_child *child)
{
    static const uint8_t asked[16] = "parent_cancel", ended[16] = "parent_end";
    static const char cancelled[] = "its parent was asked to stop";
    static const char overdue[] = "its parent was asked to stop, and this child did not end within the grace";
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .value = pawl_bytes_text(cancelled)};
    op->post = (pawl_post){.struct_size = sizeof op->post,
                           .kind = PAWL_RECORD_CANCEL,
                           .post_id = pawl_bytes_text("pawl.parent_cancel"),
                           .fingerprint = {asked, sizeof asked}};
    if (op->what == END) {
        entry = (pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_TERMINATED, .failed = true};
        entry.failure = (pawl_failure){.struct_size = sizeof entry.failure,
                                       .klass = PAWL_TERMINAL,
                                       .code = pawl_bytes_text("parent_cancelled"),
                                       .message = pawl_bytes_text(overdue)};
        op->post.kind = PAWL_RECORD_ENDED;
        op->post.post_id = pawl_bytes_text("pawl.parent_end");
        op->post.fingerprint = (pawl_bytes){ended, sizeof ended};
        op->post.status = PAWL_TERMINATED;
        op->post.force = 1;
    }
    return pawl_arena_copy(&op->arena, child->id, &op->post.id) &&
           pawl_entry_encode(&op->arena, &entry, &op->post.body) == PAWL_OK;
}

static void stop_child(pawl_resident *r, pawl_open_child *child, int what)
{
    pawl_child_op *op = make_op(r, what, child->ordinal);
    if (op == NULL || !fill_post(op, child)) {
        if (op != NULL)
            free_op(op);
        return; /* tried again at the next look */
    }
    child->asked = what == END ? ENDED_BY_FORCE : ASKED;
    submit(r, op, PAWL_OP_POST, &op->post);
}

static bool is_left_alone(const pawl_open_child *child)
{
    return child->id.size == 0 || child->parent_close == PAWL_PARENT_CLOSE_ABANDON;
}

void pawl_resident_stop_children(pawl_resident *r, bool all)
{
    bool told = pawl_activation_cancel_told(r->activation);
    uint64_t last = pawl_activation_cancel_ordinal(r->activation);
    for (pawl_open_child *child = pawl_activation_children(r->activation); child != NULL; child = child->next)
        if (child->asked == NOT_ASKED && !is_left_alone(child) && (all || (told && child->ordinal <= last)))
            stop_child(r, child, all && child->parent_close == PAWL_PARENT_CLOSE_TERMINATE ? END : ASK);
}

void pawl_resident_end_children(pawl_resident *r)
{
    for (pawl_open_child *child = pawl_activation_children(r->activation); child != NULL; child = child->next)
        if (child->asked != ENDED_BY_FORCE && !is_left_alone(child))
            stop_child(r, child, END);
}

uint32_t pawl_resident_children_left(pawl_resident *r)
{
    uint32_t count = 0;
    for (pawl_open_child *child = pawl_activation_children(r->activation); child != NULL; child = child->next)
        count += !is_left_alone(child);
    return count;
}

static void settle_post(pawl_resident *r, const pawl_child_op *op)
{
    pawl_status status = op->request.op.status;
    if (status == PAWL_OK || status == PAWL_E_TERMINAL || status == PAWL_E_NOT_FOUND || status == PAWL_E_CONFLICT)
        return; /* PAWL_E_TERMINAL: its end is in the journal, or on its way to us */
    for (pawl_open_child *child = pawl_activation_children(r->activation); child != NULL; child = child->next)
        if (child->ordinal == op->ordinal)
            child->asked = NOT_ASKED; /* the store's trouble: again at the next look */
}

static void on_answer(pawl_shard *shard, pawl_message *message)
{
    (void)shard;
    pawl_child_op *op = op_of(message);
    pawl_resident *r = op->resident;
    r->child_ops--;
    if (!r->lost && r->activation != NULL) {
        if (op->what == START)
            settle_start(r, op);
        else
            settle_post(r, op);
    }
    free_op(op);
    if (!r->lost)
        pawl_resident_advance(r);
    else if (r->child_ops == 0 && !r->committing)
        pawl_resident_leave(r);
}
