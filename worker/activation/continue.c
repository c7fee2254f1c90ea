/* activation/continue.c: ending a run by beginning the next one, and knowing when it is time: how long the journal is
 * as far as the program has seen it. Must never answer by what is in the journal beyond that, or by limits of the day:
 * the answer would differ from run to run. */
#include "mirror.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- how long the journal is ---- */

/* The horizon is 0 or the sequence of what an await has ended with: a command that came, a signal taken, the cancel. */
uint64_t pawl_program_journal_bytes(const struct run *run)
{
    const pawl_activation *mirror = run->mirror;
    if (run->horizon == 0)
        return mirror->base_bytes;
    if (run->last_known != NULL && run->last_known->came == run->horizon)
        return run->last_known->came_bytes;
    if (mirror->cancel_sequence == run->horizon)
        return mirror->cancel_bytes;
    return run->last_taken == NULL ? mirror->base_bytes : run->last_taken->bytes;
}

uint64_t pawl_program_journal_records(const struct run *run)
{
    return run->horizon == 0 ? 1 : run->horizon - run->mirror->base + 1;
}

/* What is long: recorded when it is first asked, for a worker with other limits may live the run again. */
static bool know_limits(struct run *run)
{
    pawl_activation *mirror = run->mirror;
    if (mirror->limits_recorded || mirror->limits_epoch == mirror->epoch)
        return true;
    mirror->limits_epoch = mirror->epoch;
    mirror->limit_bytes = mirror->config.warn_bytes;
    mirror->limit_records = mirror->config.warn_records;
    pawl_entry entry = {
        .kind = PAWL_RECORD_LIMITS, .limit_bytes = mirror->limit_bytes, .limit_records = mirror->limit_records};
    if (pawl_program_note(run, &entry, &mirror->limits_recorded))
        return true;
    pawl_program_out_of_memory(run);
    return false;
}

bool pawl_program_should_continue(struct run *run)
{
    if (run->suspended || run->outcome != 0 || !know_limits(run))
        return false;
    const pawl_activation *mirror = run->mirror;
    return (mirror->limit_bytes != 0 && pawl_program_journal_bytes(run) >= mirror->limit_bytes) ||
           (mirror->limit_records != 0 && pawl_program_journal_records(run) >= mirror->limit_records);
}

/* ---- the next run ---- */

static pawl_status refuse_open(struct run *run)
{
    char text[160];
    pawl_bytes message;
    int size = snprintf(text, sizeof text,
                        "%" PRIu64
                        " calls or children are open: await them before the process continues as a new run, in which "
                        "nobody could",
                        run->open_calls);
    if (!pawl_program_copy(run, (pawl_bytes){text, (size_t)size + 1}, &message))
        return run->stuck;
    return pawl_program_misuse(run, PAWL_E_INVALID, "process.calls_open", message.data);
}

/* As starts from outside are checked. *message: why not; without data: out of memory. */
static bool input_fits(struct run *run, pawl_bytes input, pawl_bytes *message)
{
    pawl_error why = {0};
    char text[sizeof why.message + 384];
    const pawl_contract *contract = run->mirror->config.contract;
    if (contract == NULL || contract->check(contract->input, input, &why) == PAWL_OK)
        return true;
    int size = snprintf(text, sizeof text, "the input of the next run does not fit: %s", why.message);
    *message = (pawl_bytes){NULL, 0};
    (void)pawl_program_copy(run, (pawl_bytes){text, (size_t)size + 1}, message);
    return false;
}

pawl_status pawl_program_continue(struct run *run, pawl_bytes input)
{
    pawl_bytes message;
    if (run->cancel_told) /* else it could run away from every wish that it stop */
        return pawl_program_misuse(run, PAWL_E_CANCELLED, "cancelled",
                                   "a process that was told to stop does not continue as a new run");
    if (run->open_calls > 0)
        return refuse_open(run);
    if (run->rollback_count > 0)
        return pawl_program_misuse(
            run, PAWL_E_INVALID, "process.compensations_registered",
            "compensations are registered, and the next run would not know of them: let the process "
            "end, and start another one");
    if (input.size > run->mirror->config.value_bytes_max)
        return pawl_program_misuse(run, PAWL_E_LIMIT, "process.input_too_large",
                                   "the input of the next run is larger than a value may be: put large content into an "
                                   "attachment");
    if (input.data == NULL && input.size > 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_input",
                                   "the input of the next run has a size and no data");
    if (!input_fits(run, input, &message))
        return message.data == NULL ? run->stuck
                                    : pawl_program_misuse(run, PAWL_E_INVALID, "schema.input", message.data);
    if (!pawl_program_copy(run, input, &run->output))
        return run->stuck;
    run->outcome = OUTCOME_CONTINUED;
    return PAWL_OK;
}

/* ---- what goes over ---- */

static bool is_taken(const pawl_activation *mirror, const struct signal *signal)
{
    const struct name *name = signal->name;
    return name->taken_epoch == mirror->epoch && signal->sequence <= name->taken->sequence;
}

pawl_status pawl_activation_carry(const pawl_activation *mirror,
                                  pawl_status (*visit)(void *context, const pawl_entry *entry), void *context)
{
    pawl_status status = pawl_mirror_answers_carry(mirror, visit, context);
    const pawl_entry cancel = {.kind = PAWL_RECORD_CANCEL,
                               .sequence = mirror->cancel_sequence,
                               .status = mirror->cancel_status,
                               .value = mirror->cancel_reason};
    bool told = cancel.sequence == 0;
    for (const struct signal *signal = mirror->first_signal; signal != NULL && status == PAWL_OK;
         signal = signal->later) {
        if (!told && cancel.sequence < signal->sequence) {
            status = visit(context, &cancel);
            told = true;
        }
        if (status != PAWL_OK || signal->notice || is_taken(mirror, signal)) /* the next run looks by itself */
            continue;
        pawl_entry entry = {.kind = PAWL_RECORD_SIGNAL,
                            .sequence = signal->sequence,
                            .name = signal->name->text,
                            .value = signal->payload};
        if (signal->id.size > 0) { /* an update: its name stands behind the prefix */
            entry.kind = PAWL_RECORD_UPDATE;
            entry.name = (pawl_bytes){(const char *)entry.name.data + 1, entry.name.size - 1};
            entry.failure.code = signal->id;
        }
        status = visit(context, &entry);
    }
    if (!told && status == PAWL_OK)
        status = visit(context, &cancel);
    return status;
}
