/* activation.c: see activation.h. The life of a mirror, and one run of the program from call to verdict. Must never do
 * anything for the program: it only says how the run ended. */
#include "activation.h"

#include "mirror.h"
#include "process_host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

pawl_status pawl_activation_create(const pawl_activation_config *config, pawl_activation **ret, pawl_error *error)
{
    pawl_activation *mirror = calloc(1, sizeof *mirror);
    if (mirror == NULL || !pawl_arena_copy(&mirror->arena, config->id, &mirror->config.id) ||
        !pawl_arena_copy(&mirror->arena, config->session, &mirror->config.session) ||
        !pawl_arena_copy(&mirror->arena, config->type, &mirror->config.type)) {
        pawl_activation_destroy(mirror);
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for a process");
    }
    mirror->config.revision = config->revision;
    mirror->config.run = config->run;
    mirror->config.program = config->program;
    mirror->config.contract = config->contract;
    mirror->config.value_bytes_max = config->value_bytes_max;
    mirror->config.commands_max = config->commands_max;
    mirror->config.warn_bytes = config->warn_bytes;
    mirror->config.warn_records = config->warn_records;
    mirror->config.log = config->log;
    mirror->config.keep_from = config->keep_from;
    mirror->config.keeps_left = config->keeps_left;
    pawl_mirror_attributes_init(mirror, config);
    mirror->document_stored = config->document.size > 0;
    if (mirror->document_stored)
        pawl_mirror_digest(config->document, mirror->stored_digest);
    *ret = mirror;
    return PAWL_OK;
}

pawl_activation *pawl_activation_destroy(pawl_activation *mirror)
{
    if (mirror == NULL)
        return NULL;
    pawl_program_unwind(mirror);
    while (mirror->first_call != NULL) {
        struct open_call *open = mirror->first_call;
        mirror->first_call = (struct open_call *)open->call.next;
        free(open->input);
    }
    free(mirror->chunks);
    free(mirror->buckets);
    free(mirror->rewinds);
    free(mirror->run.waits);
    free(mirror->run.rollbacks);
    free(mirror->run.document_buffer);
    pawl_mirror_attributes_finish(mirror);
    pawl_arena_finish(&mirror->run_arena);
    pawl_arena_finish(&mirror->arena);
    free(mirror);
    return NULL;
}

/* ---- what the host calls share ---- */

void *pawl_program_alloc(struct run *run, size_t size)
{
    pawl_arena *arena = &run->mirror->run_arena;
    if (run->stuck != PAWL_OK)
        return NULL;
    if (size > RUN_MEMORY_MAX || arena->used > RUN_MEMORY_MAX - size) {
        pawl_program_stick(run, PAWL_E_LIMIT, "limit", "the program asked for more than %zu bytes in one run",
                           RUN_MEMORY_MAX);
        return NULL;
    }
    void *memory = pawl_arena_alloc(arena, size);
    if (memory == NULL)
        pawl_program_out_of_memory(run);
    return memory;
}

bool pawl_program_copy(struct run *run, pawl_bytes from, pawl_bytes *ret_to)
{
    void *memory = pawl_program_alloc(run, from.size);
    if (memory == NULL)
        return false;
    if (from.size > 0)
        memcpy(memory, from.data, from.size);
    *ret_to = (pawl_bytes){memory, from.size};
    return true;
}

pawl_status pawl_program_stick(struct run *run, pawl_status status, const char *code, const char *format, ...)
{
    if (run->stuck != PAWL_OK)
        return run->stuck;
    char text[REASON_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    run->stuck = status;
    run->stuck_code = code;
    if (!pawl_arena_copy(&run->mirror->run_arena, (pawl_bytes){text, strlen(text)}, &run->stuck_reason))
        run->stuck_reason = (pawl_bytes){code, strlen(code)};
    return status;
}

pawl_status pawl_program_out_of_memory(struct run *run)
{
    return pawl_program_stick(run, PAWL_E_NOMEM, "out_of_memory",
                              "the worker ran out of memory while running the program");
}

pawl_status pawl_program_enter(struct run *run)
{
    if (run->stuck == PAWL_OK && ++run->host_calls > HOST_CALLS_MAX)
        pawl_program_stick(run, PAWL_E_LIMIT, "limit", "the program made more than %" PRIu64 " host calls in one run",
                           HOST_CALLS_MAX);
    return run->stuck;
}

pawl_status pawl_program_misuse(struct run *run, pawl_status status, const char *code, const char *message)
{
    run->seen = status;
    run->seen_failure = (pawl_failure){.struct_size = sizeof(pawl_failure),
                                       .klass = PAWL_TERMINAL,
                                       .code = {code, strlen(code)},
                                       .message = {message, strlen(message)}};
    return status;
}

/* ---- the verdict ---- */

static pawl_bytes text_of(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

static void end(pawl_run_result *ret, uint32_t status, const pawl_failure *failure)
{
    ret->kind = PAWL_RUN_ENDED;
    ret->status = status;
    if (failure != NULL)
        ret->failure = *failure;
}

static void break_contract(struct run *run, const char *what, pawl_status status)
{
    pawl_program_stick(run, PAWL_E_INVALID, "contract", "%s (it returned %s, %" PRId32 ")", what,
                       pawl_status_name(status), status);
}

static pawl_failure failure_text(const char *code, pawl_bytes message)
{
    return (pawl_failure){
        .struct_size = sizeof(pawl_failure), .klass = PAWL_TERMINAL, .code = text_of(code), .message = message};
}

static void judge_failure(struct run *run, pawl_status status, pawl_run_result *ret)
{
    if (run->outcome == PAWL_FAILED) {
        end(ret, PAWL_FAILED, &run->failure);
    } else if (status == PAWL_E_CANCELLED) {
        pawl_bytes reason = run->mirror->cancel_reason;
        bool by_deadline = pawl_activation_deadline_told(run->mirror);
        pawl_failure failure =
            failure_text(by_deadline ? "process.deadline" : "cancelled",
                         run->cancel_told && reason.size > 0 ? reason : text_of("the process was cancelled"));
        if (!run->cancel_told)
            failure.message = text_of("the program said that it was cancelled, and nobody had asked");
        end(ret, run->cancel_told && !by_deadline ? PAWL_CANCELLED : PAWL_FAILED, &failure);
    } else if (run->seen == status) {
        end(ret, PAWL_FAILED, &run->seen_failure);
    } else {
        pawl_failure failure =
            failure_text(pawl_status_name(status), text_of("the program returned this status and gave no details"));
        end(ret, PAWL_FAILED, &failure);
    }
}

/* Everything that makes a run stuck; what is left is SUSPENDED or ENDED in good order. */
static void find_fault(struct run *run, pawl_status status)
{
    if (run->stuck != PAWL_OK)
        return;
    if (status == PAWL_E_UNSUPPORTED && run->progress == 0 && run->outcome == 0) {
        pawl_program_stick(run, status, "unsupported", "the plugin has no program for type %.*s, revision %" PRIu32,
                           (int)(run->mirror->config.type.size < 256 ? run->mirror->config.type.size : 256),
                           (const char *)run->mirror->config.type.data, run->mirror->config.revision);
        return;
    }
    if (status >= 0 || !pawl_program_undoes(run)) /* else the core goes on where the program has ended */
        pawl_program_check_all_issued(run, status == PAWL_SUSPEND ? "waits" : "ends");
    if (status >= 0 && run->stuck == PAWL_OK)
        pawl_program_check_undo(run, status == PAWL_SUSPEND ? "waits" : "completes");
    if (run->stuck != PAWL_OK)
        return;
    if (status == PAWL_SUSPEND && run->outcome != 0)
        break_contract(run, "the program called complete or fail and then suspended", status);
    else if (status == PAWL_SUSPEND && !run->suspended)
        break_contract(run, "the program suspended but waits for nothing", status);
    else if (status != PAWL_SUSPEND && run->suspended)
        break_contract(run, "an await gave PAWL_SUSPEND and the program did not return it", status);
    else if (status == PAWL_OK && run->outcome == 0)
        break_contract(run, "the program ended without calling complete", status);
    else if (status == PAWL_OK && run->outcome == PAWL_FAILED)
        break_contract(run, "the program called fail and then returned success", status);
    else if (status < 0 && run->outcome == PAWL_COMPLETED)
        break_contract(run, "the program called complete and then returned a failure", status);
    else if (status < 0 && run->outcome == OUTCOME_CONTINUED)
        break_contract(run, "the program called continue_as_new and then returned a failure", status);
    else if (status > PAWL_SUSPEND)
        break_contract(run, "the program returned a status that means nothing here", status);
}

static void report_document(struct run *run, pawl_run_result *ret)
{
    pawl_activation *mirror = run->mirror;
    if (!run->has_document)
        return;
    pawl_mirror_digest(run->document, mirror->given_digest);
    if (mirror->document_stored && memcmp(mirror->given_digest, mirror->stored_digest, 16) == 0)
        return;
    ret->document = &run->document;
}

/* What every result has, whoever went on last. */
static void report(struct run *run, pawl_run_result *ret)
{
    ret->local = run->local;
    ret->local_count = run->local_count;
    report_document(run, ret);
    pawl_program_report_attributes(run, ret);
    if (run->stuck == PAWL_OK)
        return;
    ret->kind = PAWL_RUN_STUCK;
    ret->reason_code = text_of(run->stuck_code);
    ret->reason = run->stuck_reason;
}

static void judge(struct run *run, pawl_status status, pawl_run_result *ret)
{
    find_fault(run, status);
    if (run->stuck != PAWL_OK)
        return;
    if (status == PAWL_SUSPEND) {
        ret->kind = PAWL_RUN_SUSPENDED;
        ret->waits = (pawl_bytes){run->waits_text, run->waits_size};
        ret->waits_for_signal = run->waits_for_signal;
    } else if (status == PAWL_OK && run->outcome == OUTCOME_CONTINUED) {
        ret->kind = PAWL_RUN_CONTINUED;
        ret->output = run->output;
    } else if (status == PAWL_OK) {
        end(ret, PAWL_COMPLETED, NULL);
        ret->output = run->output;
    } else {
        judge_failure(run, status, ret);
        if (pawl_program_undoes(run))
            pawl_program_undo(run, ret);
    }
}

/* ---- a run ---- */

static void begin(pawl_activation *mirror, uint64_t now_unix_ns)
{
    struct run *run = &mirror->run;
    pawl_arena_reset(&mirror->run_arena);
    pawl_program_attributes_forget(run);
    mirror->epoch++;
    *run = (struct run){
        .process = {pawl_process_host_table()},
        .mirror = mirror,
        .now_unix_ns = now_unix_ns,
        .waits = run->waits,
        .wait_room = run->wait_room,
        .await_epoch = run->await_epoch,
        .document_buffer = run->document_buffer,
        .document_room = run->document_room,
        .rollbacks = run->rollbacks,
        .rollback_room = run->rollback_room,
    };
}

/* Go on in the run that there is: in the await in which the program is kept, or where the core stands after its end. */
static void go_on(pawl_activation *mirror, uint64_t now_unix_ns)
{
    struct run *run = &mirror->run;
    run->now_unix_ns = now_unix_ns;
    if (run->local_count > 0 && *run->local_done) {
        run->local = NULL; /* they are in the journal: all, for they are written together */
        run->local_count = run->local_room = 0;
    }
    /* Calls and timers may have ended meanwhile. */
    run->last_call = pawl_mirror_call_before(mirror, run->ordinal + 1);
    run->last_timer = pawl_mirror_timer_before(mirror, run->ordinal + 1);
}

static pawl_status call_program(pawl_activation *mirror)
{
    if (mirror->head == 0)
        return pawl_program_stick(&mirror->run, PAWL_E_INVALID, "contract", "the process has no first record");
    return mirror->config.program == NULL ? PAWL_E_UNSUPPORTED : pawl_program_run(mirror);
}

void pawl_activation_run(pawl_activation *mirror, uint64_t now_unix_ns, pawl_run_result *ret)
{
    struct run *run = &mirror->run;
    if (mirror->kept == NULL && !mirror->undoing)
        begin(mirror, now_unix_ns);
    else
        go_on(mirror, now_unix_ns);
    *ret = (pawl_run_result){0};
    if (mirror->undoing)
        pawl_program_undo(run, ret);
    else
        judge(run, call_program(mirror), ret);
    report(run, ret);
    if (run->progress > mirror->progress_max)
        mirror->progress_max = run->progress;
    if (ret->kind == PAWL_RUN_STUCK)
        pawl_program_unwind(mirror); /* should it be resumed, it begins anew */
}

/* ---- facts ---- */

void pawl_activation_document_stored(pawl_activation *mirror)
{
    if (!mirror->run.has_document)
        return; /* the last run gave none: there is nothing that could have been stored */
    memcpy(mirror->stored_digest, mirror->given_digest, sizeof mirror->stored_digest);
    mirror->document_stored = true;
}

uint64_t pawl_activation_head(const pawl_activation *mirror)
{
    return mirror->head;
}

pawl_open_call *pawl_activation_calls(pawl_activation *mirror)
{
    return mirror->first_call == NULL ? NULL : &mirror->first_call->call;
}

pawl_open_timer *pawl_activation_timers(pawl_activation *mirror)
{
    return mirror->first_timer == NULL ? NULL : &mirror->first_timer->timer;
}

pawl_open_child *pawl_activation_children(pawl_activation *mirror)
{
    return mirror->first_child == NULL ? NULL : &mirror->first_child->open;
}

bool pawl_activation_child_ended(const pawl_activation *mirror, uint64_t ordinal)
{
    const struct command *command = pawl_mirror_command(mirror, ordinal);
    return command != NULL && command->child && command->end.child->ended;
}

uint64_t pawl_activation_cancel_time(const pawl_activation *mirror)
{
    return mirror->cancel_unix_ns;
}

bool pawl_activation_cancel_told(const pawl_activation *mirror)
{
    return mirror->run.cancel_told;
}

bool pawl_activation_deadline_told(const pawl_activation *mirror)
{
    return mirror->run.cancel_told && mirror->cancel_status == PAWL_FAILED;
}

uint64_t pawl_activation_cancel_ordinal(const pawl_activation *mirror)
{
    return mirror->run.cancel_told ? mirror->run.cancel_ordinal : 0;
}

bool pawl_activation_compensating(const pawl_activation *mirror)
{
    return mirror->undo_recorded || mirror->undoing;
}

uint64_t pawl_activation_program_ordinal(const pawl_activation *mirror)
{
    return mirror->undoing ? mirror->run.undo.program_ordinal : UINT64_MAX;
}

uint64_t pawl_activation_awaited_ordinal(const pawl_activation *mirror)
{
    return mirror->run.awaited_ordinal;
}

bool pawl_activation_ended(const pawl_activation *mirror)
{
    return mirror->ended;
}

size_t pawl_activation_memory(const pawl_activation *mirror)
{
    return sizeof *mirror + pawl_arena_held(&mirror->arena) + pawl_arena_held(&mirror->run_arena) +
           mirror->input_bytes + mirror->chunk_count * sizeof(struct command *) +
           mirror->bucket_count * sizeof(struct name *) + mirror->run.wait_room * sizeof(struct wait) +
           mirror->run.rollback_room * sizeof(struct rollback) + mirror->run.document_room;
}
