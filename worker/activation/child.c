/* activation/child.c: children in the mirror and in process code. The start of a child is a call like any other, with a
 * STEP record that says whether it was started; its end is a record of its own, which may come before that. A child has
 * come when both are there, and a detached one when it was started. Must never wait for the end of a child that another
 * run of this process has started. */
#include "mirror.h"

#include <inttypes.h>
#include <string.h>

bool pawl_mirror_is_child(pawl_bytes name)
{
    static const char awaited[] = PAWL_CHILD_CALL, detached[] = PAWL_CHILD_DETACHED_CALL;
    return (name.size == sizeof awaited - 1 && memcmp(name.data, awaited, name.size) == 0) ||
           (name.size == sizeof detached - 1 && memcmp(name.data, detached, name.size) == 0);
}

static bool is_detached(pawl_bytes name)
{
    return name.size == sizeof PAWL_CHILD_DETACHED_CALL - 1;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for a process's journal");
}

/* The child of a command, made when need be. NULL: out of memory. */
static struct child *child_of(pawl_activation *mirror, struct command *command, uint64_t ordinal)
{
    if (command->child)
        return command->end.child;
    struct child *child = pawl_arena_alloc(&mirror->arena, sizeof *child);
    if (child == NULL)
        return NULL;
    child->open.ordinal = ordinal;
    child->open.id = child->output = (pawl_bytes){"", 0};
    command->child = true;
    command->end.child = child;
    return child;
}

/* ---- those that are open ---- */

static void list(pawl_activation *mirror, struct child *child)
{
    child->previous = mirror->last_child;
    child->open.next = NULL;
    if (mirror->last_child == NULL)
        mirror->first_child = child;
    else
        mirror->last_child->open.next = &child->open;
    mirror->last_child = child;
}

static void unlist(pawl_activation *mirror, struct child *child)
{
    struct child *next = (struct child *)child->open.next; /* the visible part is its first member */
    if (child->previous == NULL)
        mirror->first_child = next;
    else
        child->previous->open.next = child->open.next;
    *(next == NULL ? &mirror->last_child : &next->previous) = child->previous;
}

void pawl_mirror_child_forget(pawl_activation *mirror, struct command *command)
{
    struct child *child = command->end.child;
    if (command->child && child->started && !child->ended)
        unlist(mirror, child);
}

/* ---- records ---- */

static bool copy_failure(pawl_arena *arena, const pawl_failure *from, pawl_failure *to)
{
    *to = *from;
    to->struct_size = sizeof *to;
    return pawl_arena_copy(arena, from->code, &to->code) && pawl_arena_copy(arena, from->message, &to->message) &&
           pawl_arena_copy(arena, from->detail_json, &to->detail_json);
}

/* Both are there: the program may see it. */
static pawl_status come(pawl_activation *mirror, struct command *command, uint64_t sequence, pawl_error *error)
{
    struct child *child = command->end.child;
    if (child->failed &&
        pawl_child_failure(&mirror->arena, child->open.id, child->status, &child->failure, &child->failure) != PAWL_OK)
        return no_memory(error);
    pawl_mirror_note_came(mirror, command, sequence);
    return PAWL_OK;
}

pawl_status pawl_mirror_child_started(pawl_activation *mirror, struct command *command, const pawl_entry *entry,
                                      pawl_error *error)
{
    struct child *child = child_of(mirror, command, entry->ordinal);
    if (child == NULL ||
        (child->open.id.size == 0 && !entry->failed && !pawl_arena_copy(&mirror->arena, entry->value, &child->open.id)))
        return no_memory(error);
    if (entry->failed && !copy_failure(&mirror->arena, &entry->failure, &child->failure))
        return no_memory(error);
    if (command->kind == COMMAND_CALL)
        pawl_mirror_call_close(mirror, command);
    command->kind = COMMAND_CALL;
    child->detached = is_detached(entry->name);
    if (entry->failed) {
        child->failed = true;
        pawl_mirror_note_came(mirror, command, entry->sequence);
        return PAWL_OK;
    }
    child->started = true;
    if (!child->ended)
        list(mirror, child);
    if (child->detached) {
        child->failed = false;
        child->output = child->open.id;
        pawl_mirror_note_came(mirror, command, entry->sequence);
        return PAWL_OK;
    }
    return child->ended ? come(mirror, command, entry->sequence, error) : PAWL_OK;
}

static pawl_status contradiction(const pawl_entry *entry, pawl_error *error, const char *what)
{
    return pawl_error_set(error, PAWL_E_CORRUPT, "journal.contradiction",
                          "record %" PRIu64 " (%s, ordinal %" PRIu64 ") contradicts the journal before it: %s",
                          entry->sequence, pawl_record_name(entry->kind), entry->ordinal, what);
}

pawl_status pawl_mirror_child_ended(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (entry->note.run != mirror->config.run ||
        entry->note.generation != pawl_activation_generation(mirror, entry->ordinal))
        return PAWL_OK; /* an earlier run's, or of a step that was done again: nobody waits for it */
    if (entry->ordinal == 0 ||
        (entry->ordinal > mirror->ordinal_max && entry->ordinal - mirror->ordinal_max > ORDINAL_GAP_MAX))
        return contradiction(entry, error, "its ordinal is none, or far beyond every command known");
    struct command *command = pawl_mirror_command_make(mirror, entry->ordinal);
    if (command == NULL)
        return no_memory(error);
    if (command->kind != COMMAND_NONE && !command->child)
        return contradiction(entry, error, "the command at this ordinal started no child");
    struct child *child = child_of(mirror, command, entry->ordinal);
    if (child == NULL)
        return no_memory(error);
    if (child->ended)
        return PAWL_OK; /* the first end counts */
    pawl_failure failure = {0};
    bool copied = entry->failed ? copy_failure(&mirror->arena, &entry->failure, &failure)
                                : child->detached || pawl_arena_copy(&mirror->arena, entry->value, &child->output);
    if (!copied)
        return no_memory(error);
    child->ended = true;
    child->status = entry->status;
    if (child->detached)
        child->failed = false; /* nobody asks how it ended */
    else if (entry->failed)
        child->failure = failure;
    child->failed = entry->failed && !child->detached;
    if (!child->started)
        return PAWL_OK;
    unlist(mirror, child);
    return child->detached ? PAWL_OK : come(mirror, command, entry->sequence, error);
}

/* ---- process code ---- */

static pawl_bytes default_id(const struct run *run, char text[PAWL_CHILD_ID_BYTES_MAX + 1])
{
    const pawl_child_note note = {.run = run->mirror->config.run,
                                  .generation = pawl_activation_generation(run->mirror, run->ordinal + 1),
                                  .ordinal = run->ordinal + 1};
    return (pawl_bytes){text, pawl_child_make_id(run->mirror->config.id, &note, text)};
}

/* False: refused. */
static bool take_options(struct run *run, const pawl_child_options *options, pawl_child_request *request)
{
    pawl_child_options known = {0};
    if (options != NULL)
        memcpy(&known, options, options->struct_size < sizeof known ? options->struct_size : sizeof known);
    bool good = (known.flags & ~(PAWL_CHILD_DETACHED | PAWL_CHILD_NO_SESSION)) == 0 &&
                known.parent_close <= PAWL_PARENT_CLOSE_ABANDON && known.id.size <= PAWL_CHILD_ID_BYTES_MAX &&
                known.priority <= PAWL_PRIORITY_LOWEST && known.key.size <= PAWL_CHILD_KEY_BYTES_MAX &&
                (known.key.size == 0 || known.key.data != NULL) && known.session.size <= PAWL_CHILD_SESSION_BYTES_MAX &&
                (known.id.size == 0 || known.id.data != NULL) &&
                (known.session.size == 0 || known.session.data != NULL);
    if (!good) {
        pawl_program_refuse(run, PAWL_E_INVALID, "process.bad_options",
                            "the options of a child have unknown flags (%" PRIu32
                            ") or an unknown parent_close (%" PRIu32 ") or priority (%" PRIu32
                            "), or its id (%zu bytes), session (%zu) or key (%zu) is longer than %u bytes",
                            known.flags, known.parent_close, known.priority, known.id.size, known.session.size,
                            known.key.size, PAWL_CHILD_ID_BYTES_MAX);
        return false;
    }
    request->flags = known.flags;
    request->parent_close = known.parent_close;
    request->priority = known.priority;
    request->key = known.key;
    request->id = known.id;
    request->deadline_ns = known.deadline_ns;
    if (known.session.size > 0)
        request->session = known.session;
    else if ((known.flags & PAWL_CHILD_NO_SESSION) == 0)
        request->session = run->mirror->config.session;
    return true;
}

/* What the program says of a child it starts, for as long as the mirror lives. */
static bool note_issued(struct run *run, pawl_bytes name, const pawl_child_request *request)
{
    pawl_activation *mirror = run->mirror;
    struct child *child = child_of(mirror, pawl_mirror_command(mirror, run->ordinal), run->ordinal);
    if (child == NULL)
        return false;
    child->open.parent_close = request->parent_close;
    child->detached = is_detached(name);
    return child->open.id.size > 0 || pawl_arena_copy(&mirror->arena, request->id, &child->open.id);
}

pawl_future pawl_program_start_child(struct run *run, pawl_bytes type, pawl_bytes input,
                                     const pawl_child_options *options)
{
    char id[PAWL_CHILD_ID_BYTES_MAX + 1];
    pawl_child_request request = {.type = type, .input = input};
    pawl_bytes encoded;
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    if (!pawl_program_name_is_good(type))
        return pawl_program_refuse(run, PAWL_E_INVALID, "process.bad_name",
                                   "the type of a child has blanks or control characters, or is empty or too long");
    if (input.data == NULL && input.size > 0)
        return pawl_program_refuse(run, PAWL_E_INVALID, "process.bad_input",
                                   "the input of a child has a size and no data");
    if (!take_options(run, options, &request))
        return 0;
    if (pawl_program_next_is_new(run) && input.size > run->mirror->config.value_bytes_max)
        return pawl_program_refuse(run, PAWL_E_LIMIT, "process.input_too_large",
                                   "the input of a child is %zu bytes, at most %zu are allowed: put large content into "
                                   "an attachment",
                                   input.size, run->mirror->config.value_bytes_max);
    if (request.id.size == 0)
        request.id = default_id(run, id);
    if (pawl_child_request_encode(&run->mirror->run_arena, &request, &encoded) != PAWL_OK) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    const char *name = (request.flags & PAWL_CHILD_DETACHED) != 0 ? PAWL_CHILD_DETACHED_CALL : PAWL_CHILD_CALL;
    pawl_bytes call = {name, strlen(name)};
    pawl_future future = pawl_program_issue_call(run, call, encoded, NULL);
    if (future != 0 && !note_issued(run, call, &request))
        pawl_program_out_of_memory(run);
    return future;
}

pawl_status pawl_program_child_result(const struct child *child, pawl_bytes *value, const pawl_failure **failure)
{
    if (child->failed) {
        *failure = &child->failure;
        return PAWL_E_FAILED;
    }
    *value = child->output;
    return PAWL_OK;
}
