/* activation/undo.c: compensation: what a program registers to be undone, and what the core does by itself once the
 * program has ended as failed or cancelled: it lets the calls in flight end, then calls what was registered, in reverse
 * order of completion, one after another, as ordinary calls at the ordinals after the program's. All of that follows
 * from the journal alone, as the program does. Must never run the program again once it has ended, nor begin to undo
 * before it is known what there is to undo. */
#include "mirror.h"
#include "worker/base/line.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX    ((size_t)48 * 1024) /* of the list of what was undone, about */
#define LIST_MESSAGE_MAX  ((size_t)256)       /* of a message in it */
#define LIST_ENTRY_FRAME  ((size_t)128)       /* of an entry besides its texts, about */
#define ROLLBACK_ROOM_MIN ((size_t)8)

/* ---- what the program registers ---- */

static pawl_status too_many(struct run *run)
{
    return pawl_program_misuse(run, PAWL_E_LIMIT, "process.too_many_rollbacks",
                               "as many compensations are registered as commands may be open at once");
}

static bool make_room(struct run *run)
{
    if (run->rollback_count < run->rollback_room)
        return true;
    size_t room = run->rollback_room == 0 ? ROLLBACK_ROOM_MIN : run->rollback_room * 2;
    struct rollback *rollbacks = realloc(run->rollbacks, room * sizeof *rollbacks);
    if (rollbacks == NULL)
        return false;
    run->rollbacks = rollbacks;
    run->rollback_room = room;
    return true;
}

static pawl_status check_new(struct run *run, pawl_bytes name, pawl_bytes input)
{
    if (!pawl_program_name_is_good(name))
        return pawl_program_misuse(
            run, PAWL_E_INVALID, "process.bad_name",
            "the name of a compensation is empty, too long, or has blanks or control characters");
    if (input.data == NULL && input.size > 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_input",
                                   "the input of a compensation has a size and no data");
    if (input.size > run->mirror->config.value_bytes_max)
        return pawl_program_misuse(run, PAWL_E_LIMIT, "process.input_too_large",
                                   "the input of a compensation is larger than a value may be");
    return run->rollback_count < run->mirror->config.commands_max ? PAWL_OK : too_many(run);
}

/* A registration that is new: known from here on, and written before anything starts that comes later. */
static struct command *register_new(struct run *run, pawl_bytes name, pawl_bytes input, uint64_t of)
{
    pawl_activation *mirror = run->mirror;
    uint64_t ordinal = run->ordinal + 1;
    struct command *command = pawl_mirror_command_make(mirror, ordinal);
    struct name *known = pawl_mirror_name(mirror, name);
    if (command == NULL || known == NULL)
        return NULL;
    command->name = known;
    command->open.of = of;
    pawl_mirror_digest(input, command->of.digest);
    command->kind = COMMAND_ROLLBACK;
    return command;
}

static bool note(struct run *run, const struct command *command, pawl_bytes input)
{
    pawl_entry entry = {.kind = PAWL_RECORD_ROLLBACK,
                        .ordinal = run->ordinal + 1,
                        .of = command->open.of,
                        .name = command->name->text,
                        .value = input};
    memcpy(entry.digest, command->of.digest, sizeof entry.digest);
    return pawl_program_note(run, &entry, &command->recorded);
}

static bool same(const struct command *known, pawl_bytes name, pawl_bytes input, uint64_t of)
{
    uint8_t digest[16];
    pawl_mirror_digest(input, digest);
    return known->kind == COMMAND_ROLLBACK && known->open.of == of &&
           pawl_mirror_bytes_equal(known->name->text, name) && memcmp(known->of.digest, digest, sizeof digest) == 0;
}

static pawl_status differs(struct run *run, const struct command *known, pawl_bytes name, pawl_bytes input, uint64_t of)
{
    struct name given = {.text = name};
    struct command found = {.kind = COMMAND_ROLLBACK, .name = &given, .open.of = of};
    pawl_mirror_digest(input, found.of.digest);
    return pawl_program_differs(run, run->ordinal + 1, known, &found);
}

static pawl_status add(struct run *run, struct command *command, pawl_bytes input, const pawl_call_options *options)
{
    struct rollback *rollback = &run->rollbacks[run->rollback_count];
    *rollback = (struct rollback){.ordinal = run->ordinal + 1, .place = run->horizon, .command = command};
    if (options != NULL)
        memcpy(&rollback->options, options,
               options->struct_size < sizeof rollback->options ? options->struct_size : sizeof rollback->options);
    rollback->options.struct_size = sizeof rollback->options;
    if (command->recorded)
        rollback->input = command->end.value;
    else if (!note(run, command, input) || !pawl_program_copy(run, input, &rollback->input))
        return pawl_program_out_of_memory(run);
    run->rollback_count++;
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    return PAWL_OK;
}

pawl_status pawl_program_on_rollback(struct run *run, pawl_future of, pawl_bytes name, pawl_bytes input,
                                     const pawl_call_options *options)
{
    pawl_status status = pawl_program_may_command(run);
    if (status != PAWL_OK)
        return status;
    run->progress++;
    const struct command *target =
        of == 0 || (of & 1) != 0 || of >> 1 > run->ordinal ? NULL : pawl_mirror_command(run->mirror, of >> 1);
    if (of != 0 && (target == NULL || target->kind != COMMAND_CALL || target->child))
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_future",
                                   "a compensation is for a future that is no call of this run");
    struct command *command = pawl_program_known_command(run);
    if (command == NULL) {
        status = check_new(run, name, input);
        if (status != PAWL_OK)
            return status;
        command = register_new(run, name, input, of >> 1);
    } else if (!same(command, name, input, of >> 1)) {
        return differs(run, command, name, input, of >> 1);
    }
    if (command == NULL || !make_room(run))
        return pawl_program_out_of_memory(run);
    return add(run, command, input, options);
}

/* ---- what there is to undo ---- */

/* The call that it is for; NULL: it is for no one call. */
static const struct command *call_of(const struct run *run, const struct rollback *rollback)
{
    uint64_t of = rollback->command->open.of;
    return of == 0 ? NULL : pawl_mirror_command(run->mirror, of);
}

/* May there be something to undo, as far as is known now? */
static bool may_count(const struct run *run, const struct rollback *rollback)
{
    const struct command *call = call_of(run, rollback);
    return call == NULL || call->came == 0 || !call->failed || call->end.failure->klass == PAWL_UNKNOWN_OUTCOME;
}

static int by_place(const void *left, const void *right)
{
    const struct rollback *a = left, *b = right;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

/* Keep what counts, by its place: that of the call's end, or where the program stood. */
static void put_in_order(struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->rollback_count; i++) {
        struct rollback rollback = run->rollbacks[i];
        const struct command *call = call_of(run, &rollback);
        if (!may_count(run, &rollback))
            continue;
        if (call != NULL)
            rollback.place = call->came;
        run->rollbacks[count++] = rollback;
    }
    run->rollback_count = count;
    if (count > 1)
        qsort(run->rollbacks, count, sizeof *run->rollbacks, by_place);
    run->undo.ordered = true;
}

/* ---- the beginning ---- */

static const char *ending(uint32_t status)
{
    return status == PAWL_FAILED ? "failed" : status == PAWL_CANCELLED ? "cancelled" : "completed";
}

bool pawl_program_undoes(const struct run *run)
{
    return run->rollback_count > 0 || run->mirror->undo_recorded;
}

void pawl_program_check_undo(struct run *run, const char *did)
{
    const pawl_activation *mirror = run->mirror;
    if (mirror->undo_recorded)
        pawl_program_stick(
            run, PAWL_E_NONDETERMINISM, "nondeterminism",
            "the journal has that the program %s with %.*s and what it did is undone, the program now %s",
            ending(mirror->undo_status), (int)mirror->undo_code.size, (const char *)mirror->undo_code.data, did);
}

/* Its end is in the journal: it must be the same. */
static void check_recorded(struct run *run)
{
    const pawl_activation *mirror = run->mirror;
    if (mirror->undo_status == run->undo.status && pawl_mirror_bytes_equal(mirror->undo_code, run->undo.failure.code))
        return;
    char did[256];
    pawl_bytes code = run->undo.failure.code;
    snprintf(did, sizeof did, "%s with %.*s", ending(run->undo.status), (int)(code.size < 128 ? code.size : 128),
             (const char *)code.data);
    pawl_program_check_undo(run, did);
}

/* False: nothing is to be undone, or the run is stuck. */
static bool begin(struct run *run, const pawl_run_result *end)
{
    pawl_activation *mirror = run->mirror;
    run->undo = (struct undo){.status = end->status, .failure = end->failure, .program_ordinal = run->ordinal};
    if (mirror->undo_recorded) {
        check_recorded(run);
    } else {
        bool any = false;
        for (size_t i = 0; i < run->rollback_count && !any; i++)
            any = may_count(run, &run->rollbacks[i]);
        pawl_program_check_all_issued(run, "ends");
        if (!any || run->stuck != PAWL_OK)
            return false;
        pawl_entry entry = {.kind = PAWL_RECORD_COMPENSATING, .status = end->status, .failure = end->failure};
        if (!pawl_program_note(run, &entry, &mirror->undo_recorded))
            pawl_program_out_of_memory(run);
    }
    mirror->undoing = run->stuck == PAWL_OK;
    return mirror->undoing;
}

/* ---- one after another ---- */

static void wait_for(struct run *run, pawl_run_result *ret, const struct rollback *rollback)
{
    pawl_line line = pawl_line_in(run->waits_text, sizeof run->waits_text);
    if (rollback == NULL) {
        pawl_line_text(&line, "waits for its calls in flight to end, then undoes what it did");
    } else {
        const struct open_call *open = rollback->undo->open.call;
        pawl_line_text(&line, "undoes step ");
        pawl_line_number(&line, run->undo.done + 1);
        pawl_line_text(&line, " of ");
        pawl_line_number(&line, run->rollback_count);
        pawl_line_text(&line, ": ");
        pawl_line_bytes(&line, rollback->command->name->text);
        if (open->call.attempts > 0) {
            pawl_line_text(&line, ", attempt ");
            pawl_line_number(&line, (uint64_t)open->call.attempts + 1);
        }
        ret->undo_step = (uint32_t)run->undo.done + 1;
        ret->undo_count = (uint32_t)run->rollback_count;
    }
    ret->kind = PAWL_RUN_SUSPENDED;
    ret->compensating = true;
    ret->waits = (pawl_bytes){run->waits_text, line.size};
}

static bool program_calls_open(const struct run *run)
{
    const struct open_call *first = run->mirror->first_call;
    return first != NULL && first->call.ordinal <= run->undo.program_ordinal;
}

/* True when all are done. */
static bool undo_all(struct run *run, pawl_run_result *ret)
{
    while (run->undo.done < run->rollback_count) {
        struct rollback *rollback = &run->rollbacks[run->rollback_count - 1 - run->undo.done];
        if (rollback->undo == NULL) {
            run->open = 0; /* all that the program had begun has ended */
            run->last_call = pawl_mirror_call_before(run->mirror, run->ordinal + 1);
            if (pawl_program_issue_call(run, rollback->command->name->text, rollback->input, &rollback->options) == 0)
                return false;
            rollback->undo_ordinal = run->ordinal;
            rollback->undo = pawl_mirror_command(run->mirror, run->ordinal);
        }
        if (rollback->undo->came == 0) {
            wait_for(run, ret, rollback);
            return false;
        }
        run->undo.failed += rollback->undo->failed;
        run->undo.done++;
    }
    return true;
}

/* ---- the end ---- */

static json_t *text_of(pawl_bytes bytes, size_t max)
{
    size_t size = bytes.size < max ? bytes.size : max;
    const unsigned char *data = bytes.data;
    while (size > 0 && size < bytes.size && (data[size] & 0xc0) == 0x80)
        size--;
    json_t *text = json_stringn(size == 0 ? "" : bytes.data, size);
    return text != NULL ? text : json_string("(no text)");
}

static json_t *entry_of(const struct rollback *rollback, size_t step, size_t *bytes)
{
    json_t *entry =
        json_pack("{s:I, s:I, s:o, s:b}", "step", (json_int_t)step, "ordinal", (json_int_t)rollback->undo_ordinal,
                  "effect", text_of(rollback->command->name->text, NAME_BYTES_MAX), "undone", !rollback->undo->failed);
    *bytes += rollback->command->name->text.size + LIST_ENTRY_FRAME;
    if (entry == NULL || !rollback->undo->failed)
        return entry;
    const pawl_failure *failure = rollback->undo->end.failure;
    *bytes += failure->code.size + LIST_MESSAGE_MAX;
    if (json_object_set_new(entry, "code", text_of(failure->code, LIST_MESSAGE_MAX)) == 0 &&
        json_object_set_new(entry, "message", text_of(failure->message, LIST_MESSAGE_MAX)) == 0)
        return entry;
    json_decref(entry);
    return NULL;
}

/* What was undone and what not, in the order in which it was tried. Where there are too many, those that succeeded give
 * way to those that did not, and how many are missing is said. */
static json_t *list_of(const struct run *run)
{
    json_t *list = json_array();
    size_t bytes = 0, left_out = 0;
    for (size_t i = 0; i < run->rollback_count && list != NULL; i++) {
        const struct rollback *rollback = &run->rollbacks[run->rollback_count - 1 - i];
        if (bytes > (rollback->undo->failed ? LIST_BYTES_MAX : LIST_BYTES_MAX / 2)) {
            left_out++;
        } else if (json_array_append_new(list, entry_of(rollback, i + 1, &bytes)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    if (list != NULL && left_out > 0 &&
        json_array_append_new(list, json_pack("{s:I}", "more", (json_int_t)left_out)) != 0) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *detail_of(pawl_bytes detail_json)
{
    return detail_json.size == 0 ? NULL : json_loadb(detail_json.data, detail_json.size, JSON_DECODE_ANY, NULL);
}

/* The failure that the process had before, as part of the one that it has now. */
static json_t *cause_of(const struct run *run)
{
    const pawl_failure *failure = &run->undo.failure;
    return json_pack("{s:s, s:o, s:o, s:o*}", "status", ending(run->undo.status), "code",
                     text_of(failure->code, LIST_MESSAGE_MAX), "message", text_of(failure->message, 4096), "detail",
                     detail_of(failure->detail_json));
}

/* {"rollback": [...]} with what the failure had, or with the failure itself when not all was undone. */
static json_t *whole_detail(const struct run *run)
{
    json_t *detail = NULL;
    if (run->undo.failed > 0) {
        detail = json_pack("{s:o}", "failure", cause_of(run));
    } else {
        json_t *known = detail_of(run->undo.failure.detail_json);
        detail = json_is_object(known) ? known : json_pack("{s:o*}", "detail", known);
    }
    if (detail != NULL && json_object_set_new(detail, "rollback", list_of(run)) == 0)
        return detail;
    json_decref(detail);
    return NULL;
}

static void say_what_failed(const struct run *run, pawl_failure *failure, char *text, size_t room)
{
    const struct rollback *first = NULL;
    for (size_t i = run->rollback_count; i > 0 && first == NULL; i--)
        first = run->rollbacks[i - 1].undo->failed ? &run->rollbacks[i - 1] : NULL;
    const pawl_failure *why = first == NULL ? &run->undo.failure : first->undo->end.failure;
    pawl_bytes name = first == NULL ? (pawl_bytes){"", 0} : first->command->name->text;
    static const char code[] = "process.rollback_failed";
    snprintf(text, room,
             "%zu of %zu compensations failed, the first of them %.*s with %.*s: %.*s; before that the process had %s "
             "with %.*s: %.*s",
             run->undo.failed, run->rollback_count, (int)name.size, (const char *)name.data, (int)why->code.size,
             (const char *)why->code.data, (int)(why->message.size < 512 ? why->message.size : 512),
             (const char *)why->message.data, ending(run->undo.status), (int)run->undo.failure.code.size,
             (const char *)run->undo.failure.code.data,
             (int)(run->undo.failure.message.size < 512 ? run->undo.failure.message.size : 512),
             (const char *)run->undo.failure.message.data);
    *failure = (pawl_failure){.struct_size = sizeof *failure,
                              .klass = PAWL_TERMINAL,
                              .code = {code, sizeof code - 1},
                              .message = {text, strlen(text)}};
}

static void end_undone(struct run *run, pawl_run_result *ret)
{
    char text[2048];
    ret->kind = PAWL_RUN_ENDED;
    ret->status = run->undo.failed > 0 ? PAWL_FAILED : run->undo.status;
    ret->failure = run->undo.failure;
    if (run->undo.failed > 0) {
        say_what_failed(run, &ret->failure, text, sizeof text);
        if (!pawl_program_copy(run, ret->failure.message, &ret->failure.message))
            return;
    }
    json_t *detail = whole_detail(run);
    char *json = detail == NULL ? NULL : json_dumps(detail, JSON_COMPACT);
    json_decref(detail);
    if (json == NULL || !pawl_program_copy(run, (pawl_bytes){json, strlen(json)}, &ret->failure.detail_json))
        pawl_program_out_of_memory(run);
    free(json);
}

void pawl_program_undo(struct run *run, pawl_run_result *ret)
{
    if (!run->mirror->undoing && !begin(run, ret))
        return;
    if (program_calls_open(run)) {
        wait_for(run, ret, NULL);
        return;
    }
    if (!run->undo.ordered)
        put_in_order(run);
    if (!undo_all(run, ret))
        return;
    pawl_program_check_all_issued(run, "ends");
    if (run->stuck == PAWL_OK)
        end_undone(run, ret);
}
