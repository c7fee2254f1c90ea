/* activation/commands.c: what a program starts: calls, timers, signal waits, clock readings. Checks every command
 * against the mirror at its ordinal, opens what is new, and refuses the rest with a reason that the program meets when
 * it awaits. Must never judge what was accepted once by limits that may have changed since. */
#include "mirror.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- refusals ---- */

pawl_future pawl_program_refuse(struct run *run, pawl_status status, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pawl_bytes message = {0};
    if (!pawl_program_copy(run, (pawl_bytes){text, strlen(text)}, &message))
        return 0;
    run->refused = status;
    run->refusal = (pawl_failure){
        .struct_size = sizeof(pawl_failure), .klass = PAWL_TERMINAL, .code = {code, strlen(code)}, .message = message};
    return 0;
}

bool pawl_program_may_start(struct run *run)
{
    if (pawl_program_enter(run) != PAWL_OK)
        return false;
    if (run->suspended)
        pawl_program_refuse(run, PAWL_SUSPEND, "process.suspended",
                            "an await gave PAWL_SUSPEND and the program went on");
    else if (run->outcome != 0)
        pawl_program_refuse(run, PAWL_E_INVALID, "process.ended", "the program has already called complete or fail");
    else
        return true;
    return false;
}

pawl_status pawl_program_may_command(struct run *run)
{
    if (pawl_program_may_start(run))
        return PAWL_OK;
    return run->stuck != PAWL_OK ? run->stuck : pawl_program_refused(run);
}

bool pawl_program_name_is_good(pawl_bytes name)
{
    if (name.size == 0 || name.size > NAME_BYTES_MAX || name.data == NULL)
        return false;
    const unsigned char *text = name.data;
    for (size_t i = 0; i < name.size; i++)
        if (text[i] <= ' ' || text[i] == 0x7f)
            return false;
    return true;
}

static pawl_future refuse_name(struct run *run, const char *what, pawl_bytes name)
{
    return pawl_program_refuse(
        run, PAWL_E_INVALID, "process.bad_name",
        "a name of %s is %zu bytes with blanks or control characters, or empty, or longer than %zu: \"%.*s\"", what,
        name.size, NAME_BYTES_MAX, (int)(name.data == NULL ? 0 : (name.size < 64 ? name.size : 64)),
        (const char *)name.data);
}

static bool too_many_open(struct run *run)
{
    size_t limit = run->mirror->config.commands_max;
    if (run->open < limit)
        return false;
    pawl_program_refuse(
        run, PAWL_E_LIMIT, "process.too_many_open",
        "%zu calls and timers are open at once, as many as are allowed: await some before starting more", limit);
    return true;
}

/* ---- nondeterminism ---- */

static void describe_span(uint64_t span_ns, char *text, size_t size)
{
    if (span_ns % 1000000000u == 0)
        snprintf(text, size, "timer %" PRIu64 " s", span_ns / 1000000000u);
    else if (span_ns % 1000000u == 0)
        snprintf(text, size, "timer %" PRIu64 " ms", span_ns / 1000000u);
    else
        snprintf(text, size, "timer %" PRIu64 " ns", span_ns);
}

#define DESCRIPTION_MAX (NAME_BYTES_MAX + 96)

/* "call bank.charge with input 1f2e3d4c5b6a7980", "timer 30 s", "reading of the clock" */
static const char *describe(const struct command *command, char *text, size_t size)
{
    if (command->kind == COMMAND_TIMER) {
        describe_span(command->of.after_ns, text, size);
    } else if (command->kind == COMMAND_NOW) {
        snprintf(text, size, "reading of the clock");
    } else if (command->kind == COMMAND_NONE) {
        snprintf(text, size, "a child that has ended");
    } else {
        const char *what = command->kind == COMMAND_ROLLBACK ? "compensation"
                           : command->kind == COMMAND_REPLY  ? "answer to update"
                                                             : "call";
        int used =
            snprintf(text, size, "%s %.*s with %s ", what, (int)command->name->text.size,
                     (const char *)command->name->text.data, command->kind == COMMAND_REPLY ? "content" : "input");
        for (size_t i = 0; i < 8 && used > 0 && (size_t)used < size; i++)
            used += snprintf(text + used, size - (size_t)used, "%02x", command->of.digest[i]);
        if (command->kind == COMMAND_ROLLBACK && command->open.of != 0 && used > 0 && (size_t)used < size)
            snprintf(text + used, size - (size_t)used, " of command %" PRIu64, command->open.of);
    }
    return text;
}

static const char *who_has(const struct command *command)
{
    return command->recorded ? "the journal has" : "an earlier run of the program started";
}

pawl_status pawl_program_differs(struct run *run, uint64_t ordinal, const struct command *expected,
                                 const struct command *found)
{
    char expected_text[DESCRIPTION_MAX], found_text[DESCRIPTION_MAX];
    return pawl_program_stick(run, PAWL_E_NONDETERMINISM, "nondeterminism",
                              "at command %" PRIu64 " %s %s, the program now starts %s", ordinal, who_has(expected),
                              describe(expected, expected_text, sizeof expected_text),
                              describe(found, found_text, sizeof found_text));
}

void pawl_program_check_all_issued(struct run *run, const char *did)
{
    pawl_activation *mirror = run->mirror;
    for (uint64_t ordinal = run->ordinal + 1; ordinal <= mirror->ordinal_max; ordinal++) {
        const struct command *command = pawl_mirror_command(mirror, ordinal);
        if (command == NULL || command->kind == COMMAND_NONE)
            continue; /* lost before it was recorded; a later one is there */
        char text[DESCRIPTION_MAX];
        pawl_program_stick(run, PAWL_E_NONDETERMINISM, "nondeterminism",
                           "at command %" PRIu64 " %s %s, the program now %s after command %" PRIu64, ordinal,
                           who_has(command), describe(command, text, sizeof text), did, run->ordinal);
        return;
    }
}

/* ---- commands ---- */

struct command *pawl_program_known_command(const struct run *run)
{
    struct command *command = pawl_mirror_command(run->mirror, run->ordinal + 1);
    return command == NULL || (command->kind == COMMAND_NONE && !command->child) ? NULL : command;
}

bool pawl_program_next_is_new(const struct run *run)
{
    const struct command *command = pawl_mirror_command(run->mirror, run->ordinal + 1);
    return command == NULL || command->kind == COMMAND_NONE;
}

static pawl_future issued(struct run *run, struct command *command)
{
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    if (command->came == 0 || command->came > run->horizon) {
        run->open++;
        run->open_calls += command->kind == COMMAND_CALL;
    }
    return FUTURE_OF_ORDINAL(run->ordinal);
}

/* Give an open call its input and options, once in a residency. */
static bool arm_call(struct run *run, struct open_call *open, pawl_bytes input, const pawl_call_options *options)
{
    run->last_call = open;
    if (open->call.issued)
        return true;
    if (input.size > 0) {
        open->input = malloc(input.size);
        if (open->input == NULL)
            return false;
        memcpy(open->input, input.data, input.size);
        open->call.input = (pawl_bytes){open->input, input.size};
        run->mirror->input_bytes += input.size;
    }
    pawl_call_options known = {0};
    if (options != NULL)
        memcpy(&known, options, options->struct_size < sizeof known ? options->struct_size : sizeof known);
    open->call.attempts_max = known.attempts_max;
    open->call.timeout_ns = known.timeout_ns;
    open->call.deadline_ns = known.deadline_ns;
    open->call.issued = true;
    return true;
}

static pawl_future restart_call(struct run *run, struct command *command, pawl_bytes name, pawl_bytes input,
                                const pawl_call_options *options)
{
    struct name given = {.text = name};
    struct command found = {.kind = COMMAND_CALL, .name = &given};
    pawl_mirror_digest(input, found.of.digest);
    if (command->kind != COMMAND_CALL || !pawl_mirror_bytes_equal(command->name->text, name) ||
        memcmp(command->of.digest, found.of.digest, sizeof found.of.digest) != 0) {
        pawl_program_differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    if (command->open.call != NULL && command->came == 0 && !arm_call(run, command->open.call, input, options)) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    return issued(run, command);
}

static pawl_future first_call(struct run *run, pawl_bytes name, pawl_bytes input, const pawl_call_options *options)
{
    pawl_activation *mirror = run->mirror;
    if (too_many_open(run))
        return 0;
    struct command *command = pawl_mirror_command_make(mirror, run->ordinal + 1);
    struct name *known = pawl_mirror_name(mirror, name);
    if (command == NULL || known == NULL) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    command->name = known;
    pawl_mirror_digest(input, command->of.digest);
    struct open_call *open = pawl_mirror_call_open(mirror, run->ordinal + 1, command, run->last_call);
    if (open == NULL) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    command->kind = COMMAND_CALL;
    pawl_future future = issued(run, command);
    if (!arm_call(run, open, input, options))
        pawl_program_out_of_memory(run);
    return future;
}

pawl_future pawl_program_issue_call(struct run *run, pawl_bytes name, pawl_bytes input,
                                    const pawl_call_options *options)
{
    struct command *command = pawl_program_known_command(run);
    /* Of a child the end may be known before its start: the journal has it as soon as it happens. */
    if (command != NULL && command->kind == COMMAND_NONE && pawl_mirror_is_child(name))
        command = NULL;
    return command != NULL ? restart_call(run, command, name, input, options) : first_call(run, name, input, options);
}

static bool begins_with(pawl_bytes name, const char *prefix)
{
    size_t size = strlen(prefix);
    return name.size >= size && memcmp(name.data, prefix, size) == 0;
}

/* One of Pawl's own names that is not for process code to call. */
static bool is_kept(pawl_bytes name)
{
    return begins_with(name, PAWL_OWN_CALLS) && !begins_with(name, PAWL_SESSION_CALLS) &&
           !begins_with(name, PAWL_ATTACHMENT_CALLS) && !begins_with(name, PAWL_EVENT_CALLS) &&
           !begins_with(name, PAWL_QUEUE_CALLS) && !begins_with(name, PAWL_SCHEDULE_CALLS);
}

pawl_future pawl_program_start_call(struct run *run, pawl_bytes name, pawl_bytes input,
                                    const pawl_call_options *options)
{
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    if (!pawl_program_name_is_good(name))
        return refuse_name(run, "a call", name);
    if (is_kept(name))
        return pawl_program_refuse(run, PAWL_E_INVALID, "process.bad_name",
                                   "names that begin with \"" PAWL_OWN_CALLS "\" are Pawl's own: %.*s", (int)name.size,
                                   (const char *)name.data);
    if (input.data == NULL && input.size > 0)
        return pawl_program_refuse(run, PAWL_E_INVALID, "process.bad_input",
                                   "the input of call %.*s has a size and no data", (int)name.size,
                                   (const char *)name.data);
    /* Limits are for what is new: what was accepted once is not judged again under other settings. */
    if (pawl_program_known_command(run) == NULL && input.size > run->mirror->config.value_bytes_max)
        return pawl_program_refuse(
            run, PAWL_E_LIMIT, "process.input_too_large",
            "the input of call %.*s is %zu bytes, at most %zu are allowed: put large content into an attachment",
            (int)name.size, (const char *)name.data, input.size, run->mirror->config.value_bytes_max);
    return pawl_program_issue_call(run, name, input, options);
}

static pawl_future restart_timer(struct run *run, struct command *command, uint64_t after_ns)
{
    if (command->kind != COMMAND_TIMER || command->of.after_ns != after_ns) {
        struct command found = {.kind = COMMAND_TIMER, .of.after_ns = after_ns};
        pawl_program_differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    if (command->came == 0)
        run->last_timer = command->open.timer;
    return issued(run, command);
}

pawl_future pawl_program_start_timer(struct run *run, uint64_t after_ns)
{
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    struct command *command = pawl_program_known_command(run);
    if (command != NULL)
        return restart_timer(run, command, after_ns);
    if (too_many_open(run))
        return 0;
    command = pawl_mirror_command_make(run->mirror, run->ordinal + 1);
    if (command != NULL) {
        command->of.after_ns = after_ns;
        run->last_timer = pawl_mirror_timer_open(run->mirror, run->ordinal + 1, command, run->last_timer);
    }
    if (command == NULL || run->last_timer == NULL) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    command->kind = COMMAND_TIMER;
    return issued(run, command);
}

pawl_future pawl_program_wait_signal(struct run *run, pawl_bytes name)
{
    if (!pawl_program_may_start(run))
        return 0;
    if (!pawl_program_name_is_good(name))
        return refuse_name(run, "a signal or update", name);
    return pawl_program_wait_named(run, name);
}

pawl_future pawl_program_wait_named(struct run *run, pawl_bytes name)
{
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    if (run->wait_count == run->wait_room) {
        size_t room = run->wait_room == 0 ? 4 : run->wait_room * 2;
        struct wait *waits = realloc(run->waits, room * sizeof *waits);
        if (waits == NULL) {
            pawl_program_out_of_memory(run);
            return 0;
        }
        run->waits = waits;
        run->wait_room = room;
    }
    struct name *known = pawl_mirror_name(run->mirror, name);
    if (known == NULL) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    run->waits[run->wait_count] = (struct wait){.name = known};
    return FUTURE_OF_WAIT(run->wait_count++);
}

bool pawl_program_note(struct run *run, const pawl_entry *entry, const bool *done)
{
    if (run->local_count == run->local_room) {
        size_t room = run->local_room == 0 ? 4 : run->local_room * 2;
        pawl_record *local = pawl_program_alloc(run, room * sizeof *local);
        if (local == NULL)
            return false;
        if (run->local_count > 0)
            memcpy(local, run->local, run->local_count * sizeof *local);
        run->local = local;
        run->local_room = room;
    }
    pawl_record *record = &run->local[run->local_count];
    *record = (pawl_record){.struct_size = sizeof *record, .kind = entry->kind};
    if (pawl_entry_encode(&run->mirror->run_arena, entry, &record->body) != PAWL_OK)
        return false;
    run->local_count++;
    run->local_done = done;
    return true;
}

static bool note_now(struct run *run, uint64_t ordinal, const struct command *command)
{
    pawl_entry entry = {.kind = PAWL_RECORD_NOW, .ordinal = ordinal, .due_unix_ns = command->of.value_ns};
    return pawl_program_note(run, &entry, &command->recorded);
}

uint64_t pawl_program_now(struct run *run)
{
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    struct command *command = pawl_program_known_command(run);
    if (command != NULL && command->kind != COMMAND_NOW) {
        struct command found = {.kind = COMMAND_NOW};
        pawl_program_differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    if (command == NULL) {
        command = pawl_mirror_command_make(run->mirror, run->ordinal + 1);
        if (command == NULL) {
            pawl_program_out_of_memory(run);
            return 0;
        }
        command->kind = COMMAND_NOW;
        command->of.value_ns = run->now_unix_ns;
    }
    if (!command->recorded && !note_now(run, run->ordinal + 1, command)) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    return command->of.value_ns;
}

/* ---- versions ---- */

/* Which version a change has that this run meets for the first time. Where later commands are in the journal, it was
 * written by a program that did not know of the change; and it will be so in every later run. */
static uint32_t choose_version(struct run *run, struct name *change, uint32_t min, uint32_t max)
{
    bool past = run->ordinal < run->mirror->recorded_max;
    change->chosen_epoch = run->mirror->epoch;
    change->chosen = change->marked ? change->marker : past ? min : max;
    pawl_entry entry = {.kind = PAWL_RECORD_MARKER, .name = change->text, .status = max};
    if (!change->marked && !past && !pawl_program_note(run, &entry, &change->marked))
        pawl_program_out_of_memory(run);
    return change->chosen;
}

uint32_t pawl_program_version(struct run *run, pawl_bytes change_id, uint32_t min, uint32_t max)
{
    if (!pawl_program_may_start(run))
        return 0;
    run->progress++;
    if (!pawl_program_name_is_good(change_id) || min > max) {
        pawl_program_stick(run, PAWL_E_INVALID, "contract",
                           "a change has an id of %zu bytes (wanted 1 to %zu, no blanks or control characters) and "
                           "versions from %" PRIu32 " to %" PRIu32,
                           change_id.size, NAME_BYTES_MAX, min, max);
        return 0;
    }
    struct name *change = pawl_mirror_name(run->mirror, change_id);
    if (change == NULL) {
        pawl_program_out_of_memory(run);
        return 0;
    }
    bool known = change->chosen_epoch == run->mirror->epoch;
    uint32_t version = known ? change->chosen : choose_version(run, change, min, max);
    if (run->stuck != PAWL_OK)
        return 0;
    if (version >= min && version <= max)
        return version;
    pawl_program_stick(run, PAWL_E_NONDETERMINISM, "nondeterminism",
                       "change %.*s: the process lives by version %" PRIu32 ", the program now supports %" PRIu32
                       " to %" PRIu32,
                       (int)change_id.size, (const char *)change_id.data, version, min, max);
    return 0;
}
