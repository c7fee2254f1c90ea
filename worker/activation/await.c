/* activation/await.c: the end of an await, and results. What an await gives is a function of the journal and of the
 * program's own position alone: never of how much of the journal was there when it was asked. That holds because a
 * record that is fed later has a larger sequence and so cannot change an await that has already ended. */
#include "mirror.h"
#include "worker/base/line.h"

#include <assert.h>
#include <string.h>

#define NOT_COME UINT64_MAX

/* ---- futures ---- */

/* Exactly one of the two is set on success. */
struct target {
    struct command *command;
    struct wait *wait;
    uint64_t ordinal;
};

static bool find_target(struct run *run, pawl_future future, struct target *ret)
{
    uint64_t number = future >> 1;
    if (number == 0)
        return false;
    if (future & 1) {
        if (number > run->wait_count)
            return false;
        *ret = (struct target){.wait = &run->waits[number - 1]};
        return true;
    }
    if (number > run->ordinal)
        return false;
    struct command *command = pawl_mirror_command(run->mirror, number);
    if (command == NULL || (command->kind != COMMAND_CALL && command->kind != COMMAND_TIMER))
        return false;
    *ret = (struct target){.command = command, .ordinal = number};
    return true;
}

static struct signal *untaken(const struct run *run, const struct name *name)
{
    return name->taken_epoch == run->mirror->epoch ? name->taken->next : name->first_signal;
}

/* When a target alone would come. */
static uint64_t came(const struct run *run, const struct target *target)
{
    if (target->command != NULL)
        return target->command->came == 0 ? NOT_COME : target->command->came;
    assert(target->wait != NULL);
    const struct signal *signal = target->wait->taken != NULL ? target->wait->taken : untaken(run, target->wait->name);
    return signal == NULL ? NOT_COME : signal->sequence;
}

/* The same within `await all`: several waits for one name take signals one after the other. */
static uint64_t came_together(struct run *run, const struct target *target)
{
    struct wait *wait = target->wait;
    if (wait == NULL || wait->taken != NULL)
        return came(run, target);
    if (wait->tentative_epoch != run->await_epoch) {
        struct name *name = wait->name;
        if (name->tentative_epoch != run->await_epoch)
            name->tentative = untaken(run, name);
        name->tentative_epoch = run->await_epoch;
        wait->tentative = name->tentative;
        wait->tentative_epoch = run->await_epoch;
        if (name->tentative != NULL)
            name->tentative = name->tentative->next;
    }
    return wait->tentative == NULL ? NOT_COME : wait->tentative->sequence;
}

static void take(struct run *run, struct wait *wait, struct signal *signal)
{
    if (wait->taken != NULL)
        return;
    if (run->last_taken == NULL || signal->sequence > run->last_taken->sequence)
        run->last_taken = signal;
    wait->taken = signal;
    wait->name->taken = signal;
    wait->name->taken_epoch = run->mirror->epoch;
}

/* ---- the words for "waits for" ---- */

static void describe_target(const struct target *target, pawl_line *line)
{
    if (target->wait != NULL) {
        pawl_bytes name = target->wait->name->text;
        bool update = name.size > 0 && ((const char *)name.data)[0] == UPDATE_PREFIX;
        pawl_line_text(line, update ? "update " : "signal ");
        pawl_line_bytes(line, update ? (pawl_bytes){(const char *)name.data + 1, name.size - 1} : name);
        return;
    }
    if (target->command->kind == COMMAND_TIMER) {
        pawl_line_text(line, "timer");
        return;
    }
    const struct open_call *open = target->command->open.call;
    if (target->command->child) {
        pawl_line_text(line, target->command->end.child->started ? "child " : "start of child ");
        pawl_line_bytes(line, target->command->end.child->open.id);
        return;
    }
    pawl_line_text(line, "call ");
    pawl_line_bytes(line, target->command->name->text);
    if (open != NULL && open->call.attempts > 0) {
        pawl_line_text(line, " (attempt ");
        pawl_line_number(line, (uint64_t)open->call.attempts + 1);
        pawl_line_text(line, ")");
    }
}

/* Of several things awaited together, some may be there already. */
static bool is_there(const struct run *run, const struct target *target)
{
    const struct wait *wait = target->wait;
    if (wait == NULL)
        return target->command->came != 0;
    return wait->taken != NULL || (wait->tentative_epoch == run->await_epoch && wait->tentative != NULL);
}

#define MORE_ROOM ((size_t)32) /* for " and 18446744073709551615 more" */

static void describe_waits(struct run *run, const pawl_future *futures, size_t count)
{
    pawl_line all = pawl_line_in(run->waits_text, sizeof run->waits_text);
    size_t left_out = 0;
    run->waits_for_signal = false;
    for (size_t i = 0; i < count; i++) {
        struct target target = {0};
        if (!find_target(run, futures[i], &target) || is_there(run, &target))
            continue;
        if (target.wait != NULL)
            run->waits_for_signal = true;
        char text[NAME_BYTES_MAX + 32];
        pawl_line one = pawl_line_in(text, sizeof text);
        if (left_out == 0)
            describe_target(&target, &one);
        const char *separator = all.size == 0 ? "" : ", ";
        if (left_out > 0 || all.size + strlen(separator) + one.size + MORE_ROOM > all.room) {
            left_out++;
            continue;
        }
        pawl_line_text(&all, separator);
        pawl_line_text(&all, text);
    }
    if (left_out > 0) {
        pawl_line_text(&all, all.size == 0 ? "" : " and ");
        pawl_line_number(&all, left_out);
        pawl_line_text(&all, " more");
    }
    run->waits_size = all.size;
}

/* ---- await ---- */

pawl_status pawl_program_refused(struct run *run)
{
    if (run->refused == PAWL_OK)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_future",
                                   "future 0 was awaited, and no start has failed");
    run->seen = run->refused;
    run->seen_failure = run->refusal;
    return run->refused;
}

/* Where an await over these would end: the sequence (NOT_COME: nowhere yet) and the position that came first. */
struct await_end {
    uint64_t sequence;
    size_t first;
};

static pawl_status find_end(struct run *run, uint32_t mode, const pawl_future *futures, size_t count,
                            struct await_end *ret)
{
    uint64_t first = NOT_COME, last = 0;
    run->await_epoch++;
    for (size_t i = 0; i < count; i++) {
        struct target target = {0};
        if (futures[i] == 0)
            return pawl_program_refused(run);
        if (!find_target(run, futures[i], &target))
            return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_future",
                                       "an await names a future that this run has not started");
        uint64_t sequence = mode == PAWL_AWAIT_ALL ? came_together(run, &target) : came(run, &target);
        if (sequence < first) {
            first = sequence;
            ret->first = i;
        }
        if (sequence > last)
            last = sequence;
    }
    ret->sequence = mode == PAWL_AWAIT_ALL ? last : first;
    return PAWL_OK;
}

/* The program's time moves on: what came up to here counts as ended. */
static void advance(struct run *run, uint64_t sequence)
{
    if (sequence <= run->horizon)
        return;
    run->horizon = sequence;
    struct command *next = run->last_known == NULL ? run->mirror->first_came : run->last_known->next_came;
    for (; next != NULL && next->came <= sequence; next = next->next_came) {
        if (run->open > 0)
            run->open--;
        if (run->open_calls > 0 && next->kind == COMMAND_CALL)
            run->open_calls--;
        run->last_known = next;
        run->mirror->effort++;
    }
}

static void take_signals(struct run *run, uint32_t mode, const pawl_future *futures, size_t count, size_t first)
{
    struct target target = {0};
    if (mode == PAWL_AWAIT_ANY) {
        if (find_target(run, futures[first], &target) && target.wait != NULL)
            take(run, target.wait, untaken(run, target.wait->name));
        return;
    }
    for (size_t i = 0; i < count; i++)
        if ((futures[i] & 1) && find_target(run, futures[i], &target))
            take(run, target.wait, target.wait->tentative);
}

pawl_status pawl_program_await(struct run *run, uint32_t mode, const pawl_future *futures, size_t count, size_t *index)
{
    if (mode != PAWL_AWAIT_ANY && mode != PAWL_AWAIT_ALL)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_await", "an await has an unknown mode");
    if (count == 0 && mode == PAWL_AWAIT_ALL)
        return PAWL_OK;
    if (count == 0 || futures == NULL)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_await", "an await names no future");
    struct await_end end = {0};
    run->awaited_ordinal = run->ordinal;
    pawl_status status = find_end(run, mode, futures, count, &end);
    if (status != PAWL_OK)
        return status;
    uint64_t cancel = run->mirror->cancel_sequence;
    if (cancel != 0 && !run->cancel_told && cancel < end.sequence) {
        run->cancel_told = true;
        run->cancel_ordinal = run->ordinal;
        advance(run, cancel);
        return PAWL_E_CANCELLED;
    }
    if (end.sequence == NOT_COME) {
        run->suspended = true;
        describe_waits(run, futures, count);
        return PAWL_SUSPEND;
    }
    take_signals(run, mode, futures, count, end.first);
    advance(run, end.sequence);
    if (index != NULL)
        *index = end.first;
    return PAWL_OK;
}

/* ---- results ---- */

pawl_status pawl_program_result(struct run *run, pawl_future future, pawl_bytes *value, const pawl_failure **failure)
{
    struct target target = {0};
    if (future == 0)
        return pawl_program_refused(run);
    if (!find_target(run, future, &target))
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_future",
                                   "a result was asked of a future that this run has not started");
    if (target.wait != NULL) {
        if (target.wait->taken == NULL)
            return pawl_program_misuse(run, PAWL_E_INVALID, "process.not_awaited",
                                       "the result of a signal wait was asked before an await ended with it");
        *value = target.wait->taken->payload;
        return PAWL_OK;
    }
    const struct command *command = target.command;
    assert(command != NULL);
    if (command->came == 0 || command->came > run->horizon)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.not_awaited",
                                   "the result of a call or timer was asked before an await gave it");
    if (command->kind == COMMAND_TIMER) {
        *value = (pawl_bytes){"", 0};
        return PAWL_OK;
    }
    if (command->child)
        return pawl_program_child_result(command->end.child, value, failure);
    if (!command->failed) {
        *value = command->end.value;
        return PAWL_OK;
    }
    *failure = command->end.failure;
    return PAWL_E_FAILED;
}

pawl_status pawl_program_child_id(struct run *run, pawl_future future, pawl_bytes *id)
{
    struct target target = {0};
    if (future == 0)
        return pawl_program_refused(run);
    if (!find_target(run, future, &target) || target.command == NULL || !target.command->child)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.no_child",
                                   "the id of a child was asked of a future that is not of one");
    *id = target.command->end.child->open.id;
    return PAWL_OK;
}
