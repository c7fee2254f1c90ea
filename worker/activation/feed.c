/* activation/feed.c: records into the mirror. Each kind has one function that first checks the record against what is
 * already known and only then changes anything, so that a refused record leaves the mirror as it was. Must never look
 * at what the program does: feeding is the same for replay and for live records. */
#include "mirror.h"

#include <inttypes.h>
#include <string.h>

static pawl_status contradiction(const pawl_entry *entry, pawl_error *error, const char *what)
{
    return pawl_error_set(error, PAWL_E_CORRUPT, "journal.contradiction",
                          "record %" PRIu64 " (%s, ordinal %" PRIu64 ") contradicts the journal before it: %s",
                          entry->sequence, pawl_record_name(entry->kind), entry->ordinal, what);
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for a process's journal");
}

/* The command a record speaks of, which must be unknown so far or of this kind. */
static pawl_status find_command(pawl_activation *mirror, const pawl_entry *entry, enum command_kind kind,
                                struct command **ret, pawl_error *error)
{
    if (entry->ordinal == 0)
        return contradiction(entry, error, "ordinals begin with 1");
    if (entry->ordinal > mirror->ordinal_max && entry->ordinal - mirror->ordinal_max > ORDINAL_GAP_MAX)
        return contradiction(entry, error, "its ordinal is far beyond every command known");
    struct command *command = pawl_mirror_command_make(mirror, entry->ordinal);
    if (command == NULL)
        return no_memory(error);
    if (command->kind != COMMAND_NONE && command->kind != (uint8_t)kind)
        return contradiction(entry, error, "the command at this ordinal is of another kind");
    if (command->came != 0)
        return contradiction(entry, error, "the command at this ordinal has ended");
    if (command->child && kind != COMMAND_CALL)
        return contradiction(entry, error, "the command at this ordinal started a child");
    *ret = command;
    return PAWL_OK;
}

static void note_recorded(pawl_activation *mirror, uint64_t ordinal, struct command *command)
{
    command->recorded = true;
    if (ordinal > mirror->ordinal_max)
        mirror->ordinal_max = ordinal;
    if (ordinal > mirror->recorded_max)
        mirror->recorded_max = ordinal;
}

void pawl_mirror_note_came(pawl_activation *mirror, struct command *command, uint64_t sequence)
{
    command->came = sequence;
    command->came_bytes = mirror->bytes;
    if (mirror->last_came == NULL)
        mirror->first_came = command;
    else
        mirror->last_came->next_came = command;
    mirror->last_came = command;
}

bool pawl_mirror_failure_copy(pawl_arena *arena, const pawl_failure *from, pawl_failure *to)
{
    *to = *from;
    to->struct_size = sizeof *to;
    return pawl_arena_copy(arena, from->code, &to->code) && pawl_arena_copy(arena, from->message, &to->message) &&
           pawl_arena_copy(arena, from->detail_json, &to->detail_json);
}

/* Find the call of a STEP, INTENT or ATTEMPT, and check name and input against what is known of it. */
static pawl_status find_call(pawl_activation *mirror, const pawl_entry *entry, struct command **ret, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_command(mirror, entry, COMMAND_CALL, &command, error);
    if (status != PAWL_OK)
        return status;
    if (command->kind == COMMAND_NONE) {
        struct name *name = pawl_mirror_name(mirror, entry->name);
        if (name == NULL)
            return no_memory(error);
        command->name = name;
        memcpy(command->of.digest, entry->digest, sizeof command->of.digest);
    } else if (!pawl_mirror_bytes_equal(command->name->text, entry->name) ||
               memcmp(command->of.digest, entry->digest, sizeof entry->digest) != 0) {
        return contradiction(entry, error, "the call at this ordinal has another name or input");
    }
    if (command->child && !pawl_mirror_is_child(entry->name))
        return contradiction(entry, error, "the command at this ordinal started a child");
    if (command->child && command->end.child->started)
        return contradiction(entry, error, "the child of this ordinal was started before");
    *ret = command;
    return PAWL_OK;
}

static pawl_status feed_step(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_call(mirror, entry, &command, error);
    if (status != PAWL_OK)
        return status;
    if (pawl_mirror_is_child(entry->name)) {
        status = pawl_mirror_child_started(mirror, command, entry, error);
        if (status == PAWL_OK)
            note_recorded(mirror, entry->ordinal, command);
        return status;
    }
    if (entry->failed) {
        pawl_failure *failure = pawl_arena_alloc(&mirror->arena, sizeof *failure);
        if (failure == NULL || !pawl_mirror_failure_copy(&mirror->arena, &entry->failure, failure))
            return no_memory(error);
        command->end.failure = failure;
    } else if (!pawl_arena_copy(&mirror->arena, entry->value, &command->end.value)) {
        return no_memory(error);
    }
    command->failed = entry->failed;
    if (command->kind == COMMAND_CALL)
        pawl_mirror_call_close(mirror, command);
    command->kind = COMMAND_CALL;
    note_recorded(mirror, entry->ordinal, command);
    pawl_mirror_note_came(mirror, command, entry->sequence);
    return PAWL_OK;
}

/* INTENT, ATTEMPT and DEADLINE: the call is open. */
static pawl_status feed_attempt(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_call(mirror, entry, &command, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure failure = {0};
    if (entry->kind == PAWL_RECORD_ATTEMPT && !pawl_mirror_failure_copy(&mirror->arena, &entry->failure, &failure))
        return no_memory(error);
    if (command->kind == COMMAND_NONE &&
        pawl_mirror_call_open(mirror, entry->ordinal, command, pawl_mirror_call_before(mirror, entry->ordinal)) == NULL)
        return no_memory(error);
    command->kind = COMMAND_CALL;
    pawl_open_call *call = &command->open.call->call;
    if (entry->kind == PAWL_RECORD_DEADLINE) {
        if (call->deadline_unix_ns != 0)
            return contradiction(entry, error, "the call had a deadline before");
        call->deadline_unix_ns = entry->due_unix_ns;
    } else if (call->first_attempt_unix_ns == 0) {
        call->first_attempt_unix_ns = entry->time_unix_ns;
    }
    if (entry->kind == PAWL_RECORD_INTENT) {
        if (entry->attempt > call->intents)
            call->intents = entry->attempt;
    } else if (entry->kind == PAWL_RECORD_ATTEMPT) {
        if (entry->attempt > call->attempts)
            call->attempts = entry->attempt;
        call->due_unix_ns = entry->due_unix_ns;
        call->last_failure = failure;
        call->maybe_happened |= failure.klass != PAWL_RETRYABLE && failure.klass != PAWL_TERMINAL;
    }
    note_recorded(mirror, entry->ordinal, command);
    return PAWL_OK;
}

static pawl_status feed_timer(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_command(mirror, entry, COMMAND_TIMER, &command, error);
    if (status != PAWL_OK)
        return status;
    if (command->kind == COMMAND_TIMER && command->recorded)
        return contradiction(entry, error, "the timer was set before");
    if (command->kind == COMMAND_TIMER && command->of.after_ns != entry->after_ns)
        return contradiction(entry, error, "the timer at this ordinal has another span");
    if (command->kind == COMMAND_NONE) {
        command->of.after_ns = entry->after_ns;
        if (pawl_mirror_timer_open(mirror, entry->ordinal, command, pawl_mirror_timer_before(mirror, entry->ordinal)) ==
            NULL)
            return no_memory(error);
        command->kind = COMMAND_TIMER;
    }
    command->open.timer->timer.due_unix_ns = entry->due_unix_ns;
    command->open.timer->timer.recorded = true;
    note_recorded(mirror, entry->ordinal, command);
    return PAWL_OK;
}

static pawl_status feed_fired(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_command(mirror, entry, COMMAND_TIMER, &command, error);
    if (status != PAWL_OK)
        return status;
    if (command->kind == COMMAND_NONE || !command->recorded)
        return contradiction(entry, error, "no timer was set at this ordinal");
    pawl_mirror_timer_close(mirror, command);
    pawl_mirror_note_came(mirror, command, entry->sequence);
    return PAWL_OK;
}

static pawl_status feed_now(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_command(mirror, entry, COMMAND_NOW, &command, error);
    if (status != PAWL_OK)
        return status;
    if (command->kind == COMMAND_NOW && command->recorded)
        return contradiction(entry, error, "the clock reading was recorded before");
    if (command->kind == COMMAND_NOW && command->of.value_ns != entry->due_unix_ns)
        return contradiction(entry, error, "the program was given another time");
    command->kind = COMMAND_NOW;
    command->of.value_ns = entry->due_unix_ns;
    note_recorded(mirror, entry->ordinal, command);
    return PAWL_OK;
}

static pawl_status feed_limits(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (mirror->limits_recorded)
        return contradiction(entry, error, "the limits were recorded before");
    mirror->limits_recorded = true;
    mirror->limit_bytes = entry->limit_bytes;
    mirror->limit_records = entry->limit_records;
    return PAWL_OK;
}

static pawl_status feed_rollback(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    pawl_status status = find_command(mirror, entry, COMMAND_ROLLBACK, &command, error);
    if (status != PAWL_OK)
        return status;
    bool known = command->kind == COMMAND_ROLLBACK;
    if (known && command->recorded)
        return contradiction(entry, error, "the compensation was recorded before");
    if (known && (command->open.of != entry->of || !pawl_mirror_bytes_equal(command->name->text, entry->name) ||
                  memcmp(command->of.digest, entry->digest, sizeof entry->digest) != 0))
        return contradiction(entry, error, "the compensation at this ordinal is another one");
    if (entry->of >= entry->ordinal)
        return contradiction(entry, error, "it is for a command that comes later");
    struct name *name = pawl_mirror_name(mirror, entry->name);
    if (name == NULL || !pawl_arena_copy(&mirror->arena, entry->value, &command->end.value))
        return no_memory(error);
    command->name = name;
    command->open.of = entry->of;
    memcpy(command->of.digest, entry->digest, sizeof command->of.digest);
    command->kind = COMMAND_ROLLBACK;
    note_recorded(mirror, entry->ordinal, command);
    return PAWL_OK;
}

static pawl_status feed_compensating(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (mirror->undo_recorded)
        return contradiction(entry, error, "that it undoes its steps was recorded before");
    if (!pawl_arena_copy(&mirror->arena, entry->failure.code, &mirror->undo_code))
        return no_memory(error);
    mirror->undo_recorded = true;
    mirror->undo_status = entry->status;
    return PAWL_OK;
}

static pawl_status feed_marker(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct name *change = pawl_mirror_name(mirror, entry->name);
    if (change == NULL)
        return no_memory(error);
    if (change->marked)
        return contradiction(entry, error, "this change was recorded before");
    change->marked = true;
    change->marker = entry->status;
    return PAWL_OK;
}

static pawl_status feed_signal(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    bool update = entry->kind == PAWL_RECORD_UPDATE;
    struct name *name = update ? pawl_mirror_update_name(mirror, entry->name) : pawl_mirror_name(mirror, entry->name);
    struct signal *signal = pawl_arena_alloc(&mirror->arena, sizeof *signal);
    if (name == NULL || signal == NULL || !pawl_arena_copy(&mirror->arena, entry->value, &signal->payload) ||
        (update && !pawl_arena_copy(&mirror->arena, entry->failure.code, &signal->id)))
        return no_memory(error);
    signal->name = name;
    signal->sequence = entry->sequence;
    signal->notice = entry->kind == PAWL_RECORD_NOTICE;
    signal->bytes = mirror->bytes;
    if (mirror->last_signal == NULL)
        mirror->first_signal = signal;
    else
        mirror->last_signal->later = signal;
    mirror->last_signal = signal;
    if (name->last_signal == NULL)
        name->first_signal = signal;
    else
        name->last_signal->next = signal;
    name->last_signal = signal;
    return PAWL_OK;
}

static pawl_status feed_reply(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    struct command *command = NULL;
    uint8_t digest[16];
    if (entry->ordinal == 0) /* given in an earlier run */
        return pawl_mirror_answer_keep(mirror, entry) ? PAWL_OK : no_memory(error);
    pawl_status status = find_command(mirror, entry, COMMAND_REPLY, &command, error);
    if (status != PAWL_OK)
        return status;
    pawl_mirror_answer_digest(entry, digest);
    bool known = command->kind == COMMAND_REPLY;
    if (known && (command->recorded || !pawl_mirror_bytes_equal(command->name->text, entry->name) ||
                  memcmp(command->of.digest, digest, sizeof digest) != 0))
        return contradiction(entry, error, "the answer at this ordinal was recorded before, or is another one");
    struct name *name = pawl_mirror_name(mirror, entry->name);
    if (name == NULL || !pawl_mirror_answer_keep(mirror, entry))
        return no_memory(error);
    command->name = name;
    memcpy(command->of.digest, digest, sizeof command->of.digest);
    command->kind = COMMAND_REPLY;
    note_recorded(mirror, entry->ordinal, command);
    return PAWL_OK;
}

static pawl_status feed_cancel(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (mirror->cancel_sequence != 0)
        return PAWL_OK; /* it is told once: the first one counts */
    if (!pawl_arena_copy(&mirror->arena, entry->value, &mirror->cancel_reason))
        return no_memory(error);
    mirror->cancel_sequence = entry->sequence;
    mirror->cancel_status = entry->status;
    mirror->cancel_unix_ns = entry->time_unix_ns;
    mirror->cancel_bytes = mirror->bytes;
    return PAWL_OK;
}

static pawl_status feed_started(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (mirror->head != 0)
        return contradiction(entry, error, "only the first record starts a run");
    if (!pawl_arena_copy(&mirror->arena, entry->value, &mirror->input))
        return no_memory(error);
    mirror->base = entry->sequence;
    mirror->base_bytes = mirror->bytes;
    mirror->started_unix_ns = entry->time_unix_ns;
    /* The seed of everything random: id, run and time of the first record, in fixed width. */
    uint8_t parts[32];
    pawl_mirror_digest(mirror->config.id, parts);
    pawl_mirror_put_fixed(parts + 16, mirror->config.run);
    pawl_mirror_put_fixed(parts + 24, entry->time_unix_ns);
    pawl_mirror_digest((pawl_bytes){parts, sizeof parts}, mirror->seed);
    return PAWL_OK;
}

/* Whoever runs it has lost it by then: it is met when a journal is read, before the program was run over it. */
static pawl_status feed_rewound(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    if (entry->ordinal == 0)
        return contradiction(entry, error, "ordinals begin with 1");
    if (mirror->epoch > 0)
        return contradiction(entry, error, "the program has run over what it undoes");
    return pawl_mirror_rewind(mirror, entry->ordinal, entry->status != 0) == PAWL_OK ? PAWL_OK : no_memory(error);
}

static pawl_status feed_entry(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error)
{
    switch (entry->kind) {
    case PAWL_RECORD_STARTED:
        return feed_started(mirror, entry, error);
    case PAWL_RECORD_STEP:
        return feed_step(mirror, entry, error);
    case PAWL_RECORD_INTENT:
    case PAWL_RECORD_ATTEMPT:
    case PAWL_RECORD_DEADLINE:
        return feed_attempt(mirror, entry, error);
    case PAWL_RECORD_TIMER:
        return feed_timer(mirror, entry, error);
    case PAWL_RECORD_FIRED:
        return feed_fired(mirror, entry, error);
    case PAWL_RECORD_NOW:
        return feed_now(mirror, entry, error);
    case PAWL_RECORD_LIMITS:
        return feed_limits(mirror, entry, error);
    case PAWL_RECORD_ROLLBACK:
        return feed_rollback(mirror, entry, error);
    case PAWL_RECORD_COMPENSATING:
        return feed_compensating(mirror, entry, error);
    case PAWL_RECORD_MARKER:
        return feed_marker(mirror, entry, error);
    case PAWL_RECORD_REPLY:
        return feed_reply(mirror, entry, error);
    case PAWL_RECORD_SIGNAL:
    case PAWL_RECORD_NOTICE:
    case PAWL_RECORD_UPDATE:
        return feed_signal(mirror, entry, error);
    case PAWL_RECORD_CANCEL:
        return feed_cancel(mirror, entry, error);
    case PAWL_RECORD_CHILD:
        return pawl_mirror_child_ended(mirror, entry, error);
    case PAWL_RECORD_REWOUND:
        return feed_rewound(mirror, entry, error);
    case PAWL_RECORD_ENDED:
        mirror->ended = true;
        return PAWL_OK;
    default: /* PARKED, RESUMED, PAUSED, CONTINUED: the program never sees them */
        return PAWL_OK;
    }
}

pawl_status pawl_activation_feed(pawl_activation *mirror, const pawl_record *record, pawl_error *error)
{
    bool first = mirror->head == 0; /* of a run that follows others it has a larger sequence than 1 */
    if (first ? record->sequence == 0 : record->sequence != mirror->head + 1)
        return pawl_error_set(error, PAWL_E_INVALID, "journal.order",
                              "record %" PRIu64 " was fed where record %" PRIu64 " comes next", record->sequence,
                              mirror->head + 1);
    pawl_entry entry;
    pawl_status status = pawl_entry_decode(record, &entry, error);
    if (status != PAWL_OK)
        return status;
    if (first && entry.kind != PAWL_RECORD_STARTED)
        return contradiction(&entry, error, "the first record must be \"started\"");
    if (mirror->ended && entry.kind != PAWL_RECORD_REWOUND)
        return contradiction(&entry, error, "nothing follows \"ended\"");
    mirror->bytes += record->body.size;
    status = feed_entry(mirror, &entry, error);
    if (status == PAWL_OK)
        mirror->head = record->sequence;
    else
        mirror->bytes -= record->body.size;
    return status;
}
