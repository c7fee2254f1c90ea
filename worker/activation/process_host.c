/* process_host.c: the table of functions that process code calls; what starts something is in activation/commands.c,
 * what waits in activation/await.c. Must never let what it answers depend on anything but the journal, the program's
 * position in it, and limits that stay the same from run to run. */
#include "process_host.h"

#include "mirror.h"

#include <stdlib.h>
#include <string.h>

static struct run *run_of(pawl_process *p)
{
    return (struct run *)p; /* its first member */
}

/* ---- starting ---- */

static pawl_future PAWL_CALL host_start_call(pawl_process *p, pawl_bytes name, pawl_bytes input,
                                             const pawl_call_options *options)
{
    return pawl_program_start_call(run_of(p), name, input, options);
}

static pawl_future PAWL_CALL host_start_timer(pawl_process *p, uint64_t after_ns)
{
    return pawl_program_start_timer(run_of(p), after_ns);
}

static pawl_future PAWL_CALL host_wait_signal(pawl_process *p, pawl_bytes name)
{
    return pawl_program_wait_signal(run_of(p), name);
}

static pawl_future PAWL_CALL host_start_child(pawl_process *p, pawl_bytes type, pawl_bytes input,
                                              const pawl_child_options *options)
{
    return pawl_program_start_child(run_of(p), type, input, options);
}

static pawl_status PAWL_CALL host_child_id(pawl_process *p, pawl_future future, pawl_bytes *id)
{
    struct run *run = run_of(p);
    pawl_bytes found = {"", 0};
    pawl_status status = pawl_program_enter(run);
    if (status == PAWL_OK)
        status = pawl_program_child_id(run, future, &found);
    if (status == PAWL_OK && id != NULL)
        *id = found;
    return status;
}

static uint64_t PAWL_CALL host_now_unix_ns(pawl_process *p)
{
    return pawl_program_now(run_of(p));
}

static uint32_t PAWL_CALL host_version(pawl_process *p, pawl_bytes change_id, uint32_t min, uint32_t max)
{
    return pawl_program_version(run_of(p), change_id, min, max);
}

static pawl_status PAWL_CALL host_on_rollback(pawl_process *p, pawl_future of, pawl_bytes name, pawl_bytes input,
                                              const pawl_call_options *options)
{
    return pawl_program_on_rollback(run_of(p), of, name, input, options);
}

/* ---- awaits and results ---- */

/* May the program ask now? PAWL_SUSPEND after an await has given it. */
static pawl_status may_ask(struct run *run)
{
    pawl_status status = pawl_program_enter(run);
    if (status != PAWL_OK)
        return status;
    return run->suspended ? PAWL_SUSPEND : PAWL_OK;
}

static pawl_status PAWL_CALL host_await(pawl_process *p, uint32_t mode, const pawl_future *futures, size_t count,
                                        size_t *index)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    if (run->outcome != 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.ended",
                                   "the program has already called complete or fail");
    run->progress++;
    do
        status = pawl_program_await(run, mode, futures, count, index);
    while (status == PAWL_SUSPEND && pawl_program_stay(run));
    return status;
}

static pawl_status PAWL_CALL host_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    pawl_bytes found = {"", 0};
    const pawl_failure *failure = NULL;
    status = pawl_program_result(run, future, &found, &failure);
    if (status == PAWL_OK && value != NULL)
        *value = found;
    if (status == PAWL_E_FAILED && failure != NULL) {
        run->seen = status;
        run->seen_failure = *failure;
    }
    return status;
}

static pawl_status PAWL_CALL host_failure(pawl_process *p, pawl_future future, pawl_failure *ret)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    pawl_bytes value;
    const pawl_failure *failure = NULL;
    status = pawl_program_result(run, future, &value, &failure);
    if (status == PAWL_OK)
        return PAWL_E_NOT_FOUND;
    if (status != PAWL_E_FAILED || failure == NULL)
        return status;
    /* The caller's struct is of the size it was compiled with; only the members of ABI 1.0 are sure to be there. */
    PAWL_STATIC_ASSERT(sizeof(pawl_failure) == 64, "a grown pawl_failure must be cut for older callers here");
    *ret = *failure;
    return PAWL_OK;
}

/* ---- facts ---- */

static pawl_bytes PAWL_CALL host_input(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return run_of(p)->mirror->input;
}

static pawl_bytes PAWL_CALL host_id(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return run_of(p)->mirror->config.id;
}

static pawl_bytes PAWL_CALL host_session(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return run_of(p)->mirror->config.session;
}

static uint32_t PAWL_CALL host_run(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return run_of(p)->mirror->config.run;
}

/* The program re-lives the journal until it is past every recorded command and at the place where an earlier run of
 * this residency ended: the await that suspended it. What follows a PAWL_SUSPEND will be lived again. */
static bool is_replaying(const struct run *run)
{
    return run->suspended || run->ordinal < run->mirror->recorded_max || run->progress < run->mirror->progress_max;
}

static int32_t PAWL_CALL host_replaying(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return is_replaying(run_of(p));
}

static void *PAWL_CALL host_alloc(pawl_process *p, size_t size)
{
    struct run *run = run_of(p);
    return pawl_program_enter(run) != PAWL_OK ? NULL : pawl_program_alloc(run, size);
}

static pawl_bytes PAWL_CALL host_cancel_reason(pawl_process *p)
{
    struct run *run = run_of(p);
    pawl_program_enter(run);
    /* Before it was told, whether it is in the journal depends on when one looks. */
    return run->cancel_told ? run->mirror->cancel_reason : (pawl_bytes){"", 0};
}

/* ---- randomness ---- */

static void draw(struct run *run, void *data, size_t size)
{
    uint8_t seed[40], block[16];
    memcpy(seed, run->mirror->seed, 16);
    pawl_mirror_put_fixed(seed + 16, run->ordinal);
    pawl_mirror_put_fixed(seed + 24, run->draws++);
    for (size_t done = 0, part; done < size; done += part) {
        pawl_mirror_put_fixed(seed + 32, done);
        pawl_mirror_digest((pawl_bytes){seed, sizeof seed}, block);
        part = size - done < sizeof block ? size - done : sizeof block;
        memcpy((uint8_t *)data + done, block, part);
    }
}

static void PAWL_CALL host_random(pawl_process *p, void *data, size_t size)
{
    struct run *run = run_of(p);
    pawl_program_enter(run);
    draw(run, data, size);
}

static void PAWL_CALL host_uuid(pawl_process *p, char text[37])
{
    static const char digits[] = "0123456789abcdef";
    struct run *run = run_of(p);
    uint8_t bytes[16];
    pawl_program_enter(run);
    draw(run, bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 1 */
    char *at = text;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}

/* ---- what others see ---- */

static pawl_status PAWL_CALL host_set_status(pawl_process *p, pawl_bytes document)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    if (document.size > run->mirror->config.value_bytes_max)
        return pawl_program_misuse(run, PAWL_E_LIMIT, "process.document_too_large",
                                   "the status document is larger than a value may be");
    if (document.data == NULL && document.size > 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_document",
                                   "the status document has a size and no data");
    if (document.size > run->document_room) {
        void *buffer = realloc(run->document_buffer, document.size);
        if (buffer == NULL)
            return pawl_program_out_of_memory(run);
        run->document_buffer = buffer;
        run->document_room = document.size;
    }
    if (document.size > 0)
        memcpy(run->document_buffer, document.data, document.size);
    run->document = (pawl_bytes){document.size > 0 ? run->document_buffer : "", document.size};
    run->has_document = true;
    return PAWL_OK;
}

static pawl_status PAWL_CALL host_set_attributes(pawl_process *p, pawl_bytes object)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    return status == PAWL_OK ? pawl_program_set_attributes(run, object) : status;
}

static void PAWL_CALL host_log(pawl_process *p, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    struct run *run = run_of(p);
    const pawl_activation_log *log = &run->mirror->config.log;
    if (pawl_program_enter(run) == PAWL_OK && log->line != NULL && !is_replaying(run))
        log->line(log->context, run->mirror->config.id, level, message, fields_json);
}

/* ---- the end ---- */

static pawl_status may_end(struct run *run)
{
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    if (run->outcome != 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.ended",
                                   "the program has already called complete or fail");
    return PAWL_OK;
}

static pawl_status PAWL_CALL host_complete(pawl_process *p, pawl_bytes output)
{
    struct run *run = run_of(p);
    pawl_status status = may_end(run);
    if (status != PAWL_OK)
        return status;
    if (output.size > run->mirror->config.value_bytes_max)
        return pawl_program_misuse(run, PAWL_E_LIMIT, "process.output_too_large",
                                   "the output is larger than a value may be: put large content into an attachment");
    if (output.data == NULL && output.size > 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_output", "the output has a size and no data");
    if (!pawl_program_copy(run, output, &run->output))
        return run->stuck;
    run->outcome = PAWL_COMPLETED;
    return PAWL_OK;
}

/* Cut a text, at the start of a UTF-8 character. */
static pawl_bytes cut(pawl_bytes text, size_t size)
{
    if (text.data == NULL)
        return (pawl_bytes){"", 0};
    if (text.size <= size)
        return text;
    const unsigned char *bytes = text.data;
    while (size > 0 && (bytes[size] & 0xc0) == 0x80)
        size--;
    return (pawl_bytes){text.data, size};
}

/* A failure as the program gives it, within its limits and in memory of the run. */
static pawl_status take_failure(struct run *run, const pawl_failure *failure, pawl_failure *ret)
{
    pawl_failure known = {0};
    if (failure != NULL)
        memcpy(&known, failure, failure->struct_size < sizeof known ? failure->struct_size : sizeof known);
    known.struct_size = sizeof known;
    if (known.klass == 0)
        known.klass = PAWL_TERMINAL;
    if (known.code.size == 0 || known.code.data == NULL)
        known.code = (pawl_bytes){"failed", 6};
    if (known.detail_json.size > DETAIL_BYTES_MAX)
        known.detail_json = (pawl_bytes){"", 0};
    if (!pawl_program_copy(run, cut(known.code, 128), &known.code) ||
        !pawl_program_copy(run, cut(known.message, 4096), &known.message) ||
        !pawl_program_copy(run, cut(known.detail_json, DETAIL_BYTES_MAX), &known.detail_json))
        return run->stuck;
    *ret = known;
    return PAWL_OK;
}

static pawl_status PAWL_CALL host_fail(pawl_process *p, const pawl_failure *failure)
{
    struct run *run = run_of(p);
    pawl_status status = may_end(run);
    if (status == PAWL_OK)
        status = take_failure(run, failure, &run->failure);
    if (status != PAWL_OK)
        return status;
    run->outcome = PAWL_FAILED;
    return PAWL_E_FAILED;
}

/* ---- updates ---- */

static pawl_future PAWL_CALL host_wait_update(pawl_process *p, pawl_bytes name)
{
    return pawl_program_wait_update(run_of(p), name);
}

static pawl_status PAWL_CALL host_answer(pawl_process *p, pawl_future update, pawl_bytes value,
                                         const pawl_failure *failure)
{
    struct run *run = run_of(p);
    pawl_failure known;
    if (failure == NULL)
        return pawl_program_answer(run, update, value, NULL);
    pawl_status status = take_failure(run, failure, &known);
    return status == PAWL_OK ? pawl_program_answer(run, update, (pawl_bytes){"", 0}, &known) : status;
}

/* ---- the next run ---- */

static uint64_t PAWL_CALL host_journal_bytes(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return pawl_program_journal_bytes(run_of(p));
}

static uint64_t PAWL_CALL host_journal_records(pawl_process *p)
{
    pawl_program_enter(run_of(p));
    return pawl_program_journal_records(run_of(p));
}

static int32_t PAWL_CALL host_should_continue(pawl_process *p)
{
    struct run *run = run_of(p);
    return pawl_program_enter(run) == PAWL_OK && pawl_program_should_continue(run);
}

static pawl_status PAWL_CALL host_continue_as_new(pawl_process *p, pawl_bytes input)
{
    pawl_status status = may_end(run_of(p));
    return status == PAWL_OK ? pawl_program_continue(run_of(p), input) : status;
}

const pawl_process_host *pawl_process_host_table(void)
{
    static const pawl_process_host table = {
        .struct_size = sizeof(pawl_process_host),
        .input = host_input,
        .id = host_id,
        .session = host_session,
        .run = host_run,
        .replaying = host_replaying,
        .alloc = host_alloc,
        .start_call = host_start_call,
        .start_timer = host_start_timer,
        .wait_signal = host_wait_signal,
        .await = host_await,
        .result = host_result,
        .failure = host_failure,
        .now_unix_ns = host_now_unix_ns,
        .random = host_random,
        .uuid = host_uuid,
        .set_status = host_set_status,
        .log = host_log,
        .complete = host_complete,
        .fail = host_fail,
        .cancel_reason = host_cancel_reason,
        .version = host_version,
        .journal_bytes = host_journal_bytes,
        .journal_records = host_journal_records,
        .should_continue = host_should_continue,
        .continue_as_new = host_continue_as_new,
        .start_child = host_start_child,
        .child_id = host_child_id,
        .set_attributes = host_set_attributes,
        .on_rollback = host_on_rollback,
        .wait_update = host_wait_update,
        .answer = host_answer,
    };
    return &table;
}
