/* process_host.c: the table of functions that process code calls. Checks every command against the mirror at its
 * ordinal, opens what is new, and refuses the rest with a reason. Must never let what it answers depend on anything but
 * the journal, the program's position in it, and limits that stay the same from run to run. */
#include "process_host.h"

#include "activation_mirror.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct run *run_of(pawl_process *p)
{
    return (struct run *)p; /* its first member */
}

/* ---- refusals ---- */

/* A start that cannot be done: remembered, and told when the program awaits 0. */
static pawl_future refuse(struct run *run, pawl_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static pawl_future refuse(struct run *run, pawl_status status, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pawl_bytes message = {0};
    if (!run_copy(run, (pawl_bytes){text, strlen(text)}, &message))
        return 0;
    run->refused = status;
    run->refusal = (pawl_failure){
        .struct_size = sizeof(pawl_failure), .klass = PAWL_TERMINAL, .code = {code, strlen(code)}, .message = message};
    return 0;
}

/* May the program start something now? */
static bool may_start(struct run *run)
{
    if (run_enter(run) != PAWL_OK)
        return false;
    if (run->suspended)
        refuse(run, PAWL_SUSPEND, "process.suspended", "an await gave PAWL_SUSPEND and the program went on");
    else if (run->outcome != 0)
        refuse(run, PAWL_E_INVALID, "process.ended", "the program has already called complete or fail");
    else
        return true;
    return false;
}

static bool name_is_good(pawl_bytes name)
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
    return refuse(run, PAWL_E_INVALID, "process.bad_name",
                  "a name of %s is %zu bytes with blanks or control characters, or empty, or longer than %zu: \"%.*s\"",
                  what, name.size, NAME_BYTES_MAX, (int)(name.data == NULL ? 0 : (name.size < 64 ? name.size : 64)),
                  (const char *)name.data);
}

static bool too_many_open(struct run *run)
{
    size_t limit = run->mirror->config.commands_max;
    if (run->open < limit)
        return false;
    refuse(run, PAWL_E_LIMIT, "process.too_many_open",
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

#define DESCRIPTION_MAX (NAME_BYTES_MAX + 64)

/* "call bank.charge with input 1f2e3d4c5b6a7980", "timer 30 s", "reading of the clock" */
static const char *describe(const struct command *command, char *text, size_t size)
{
    if (command->kind == COMMAND_TIMER) {
        describe_span(command->of.after_ns, text, size);
    } else if (command->kind == COMMAND_NOW) {
        snprintf(text, size, "reading of the clock");
    } else {
        int used = snprintf(text, size, "call %.*s with input ", (int)command->name->text.size,
                            (const char *)command->name->text.data);
        for (size_t i = 0; i < 8 && used > 0 && (size_t)used < size; i++)
            used += snprintf(text + used, size - (size_t)used, "%02x", command->of.digest[i]);
    }
    return text;
}

static const char *who_has(const struct command *command)
{
    return command->recorded ? "the journal has" : "an earlier run of the program started";
}

static void differs(struct run *run, uint64_t ordinal, const struct command *expected, const struct command *found)
{
    char expected_text[DESCRIPTION_MAX], found_text[DESCRIPTION_MAX];
    run_stick(run, PAWL_E_NONDETERMINISM, "nondeterminism", "at command %" PRIu64 " %s %s, the program now starts %s",
              ordinal, who_has(expected), describe(expected, expected_text, sizeof expected_text),
              describe(found, found_text, sizeof found_text));
}

void run_check_all_issued(struct run *run, const char *did)
{
    pawl_activation *mirror = run->mirror;
    for (uint64_t ordinal = run->ordinal + 1; ordinal <= mirror->ordinal_max; ordinal++) {
        const struct command *command = activation_command(mirror, ordinal);
        if (command == NULL || command->kind == COMMAND_NONE)
            continue; /* lost before it was recorded; a later one is there */
        char text[DESCRIPTION_MAX];
        run_stick(run, PAWL_E_NONDETERMINISM, "nondeterminism",
                  "at command %" PRIu64 " %s %s, the program now %s after command %" PRIu64, ordinal, who_has(command),
                  describe(command, text, sizeof text), did, run->ordinal);
        return;
    }
}

/* ---- commands ---- */

/* What is known of the next ordinal, or NULL when nothing is. */
static struct command *known_command(const struct run *run)
{
    struct command *command = activation_command(run->mirror, run->ordinal + 1);
    return command == NULL || command->kind == COMMAND_NONE ? NULL : command;
}

static pawl_future issued(struct run *run, struct command *command)
{
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    if (command->came == 0 || command->came > run->horizon)
        run->open++;
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
    open->call.issued = true;
    return true;
}

static pawl_future restart_call(struct run *run, struct command *command, pawl_bytes name, pawl_bytes input,
                                const pawl_call_options *options)
{
    struct name given = {.text = name};
    struct command found = {.kind = COMMAND_CALL, .name = &given};
    activation_digest(input, found.of.digest);
    if (command->kind != COMMAND_CALL || !activation_bytes_equal(command->name->text, name) ||
        memcmp(command->of.digest, found.of.digest, sizeof found.of.digest) != 0) {
        differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    if (command->came == 0 && !arm_call(run, command->open.call, input, options)) {
        run_out_of_memory(run);
        return 0;
    }
    return issued(run, command);
}

static pawl_future first_call(struct run *run, pawl_bytes name, pawl_bytes input, const pawl_call_options *options)
{
    pawl_activation *mirror = run->mirror;
    if (input.size > mirror->config.value_bytes_max)
        return refuse(
            run, PAWL_E_LIMIT, "process.input_too_large",
            "the input of call %.*s is %zu bytes, at most %zu are allowed: put large content into an attachment",
            (int)name.size, (const char *)name.data, input.size, mirror->config.value_bytes_max);
    if (too_many_open(run))
        return 0;
    struct command *command = activation_command_make(mirror, run->ordinal + 1);
    struct name *known = activation_name(mirror, name);
    if (command == NULL || known == NULL) {
        run_out_of_memory(run);
        return 0;
    }
    command->name = known;
    activation_digest(input, command->of.digest);
    struct open_call *open = activation_call_open(mirror, run->ordinal + 1, command, run->last_call);
    if (open == NULL) {
        run_out_of_memory(run);
        return 0;
    }
    command->kind = COMMAND_CALL;
    pawl_future future = issued(run, command);
    if (!arm_call(run, open, input, options))
        run_out_of_memory(run);
    return future;
}

static pawl_future PAWL_CALL host_start_call(pawl_process *p, pawl_bytes name, pawl_bytes input,
                                             const pawl_call_options *options)
{
    struct run *run = run_of(p);
    if (!may_start(run))
        return 0;
    run->progress++;
    if (!name_is_good(name))
        return refuse_name(run, "a call", name);
    if (input.data == NULL && input.size > 0)
        return refuse(run, PAWL_E_INVALID, "process.bad_input", "the input of call %.*s has a size and no data",
                      (int)name.size, (const char *)name.data);
    struct command *command = known_command(run);
    /* Limits are for what is new: what was accepted once is not judged again under other settings. */
    return command != NULL ? restart_call(run, command, name, input, options) : first_call(run, name, input, options);
}

static pawl_future restart_timer(struct run *run, struct command *command, uint64_t after_ns)
{
    if (command->kind != COMMAND_TIMER || command->of.after_ns != after_ns) {
        struct command found = {.kind = COMMAND_TIMER, .of.after_ns = after_ns};
        differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    if (command->came == 0)
        run->last_timer = command->open.timer;
    return issued(run, command);
}

static pawl_future PAWL_CALL host_start_timer(pawl_process *p, uint64_t after_ns)
{
    struct run *run = run_of(p);
    if (!may_start(run))
        return 0;
    run->progress++;
    struct command *command = known_command(run);
    if (command != NULL)
        return restart_timer(run, command, after_ns);
    if (too_many_open(run))
        return 0;
    command = activation_command_make(run->mirror, run->ordinal + 1);
    if (command != NULL) {
        command->of.after_ns = after_ns;
        run->last_timer = activation_timer_open(run->mirror, run->ordinal + 1, command, run->last_timer);
    }
    if (command == NULL || run->last_timer == NULL) {
        run_out_of_memory(run);
        return 0;
    }
    command->kind = COMMAND_TIMER;
    return issued(run, command);
}

static pawl_future PAWL_CALL host_wait_signal(pawl_process *p, pawl_bytes name)
{
    struct run *run = run_of(p);
    if (!may_start(run))
        return 0;
    run->progress++;
    if (!name_is_good(name))
        return refuse_name(run, "a signal", name);
    if (run->wait_count == run->wait_room) {
        size_t room = run->wait_room == 0 ? 4 : run->wait_room * 2;
        struct wait *waits = realloc(run->waits, room * sizeof *waits);
        if (waits == NULL) {
            run_out_of_memory(run);
            return 0;
        }
        run->waits = waits;
        run->wait_room = room;
    }
    struct name *known = activation_name(run->mirror, name);
    if (known == NULL) {
        run_out_of_memory(run);
        return 0;
    }
    run->waits[run->wait_count] = (struct wait){.name = known};
    return FUTURE_OF_WAIT(run->wait_count++);
}

static bool note_local(struct run *run, uint64_t ordinal, uint64_t value_ns)
{
    if (run->local_count == run->local_room) {
        size_t room = run->local_room == 0 ? 4 : run->local_room * 2;
        pawl_record *local = run_alloc(run, room * sizeof *local);
        if (local == NULL)
            return false;
        if (run->local_count > 0)
            memcpy(local, run->local, run->local_count * sizeof *local);
        run->local = local;
        run->local_room = room;
    }
    pawl_entry entry = {.kind = PAWL_RECORD_NOW, .ordinal = ordinal, .due_unix_ns = value_ns};
    pawl_record *record = &run->local[run->local_count];
    *record = (pawl_record){.struct_size = sizeof *record, .kind = PAWL_RECORD_NOW};
    if (pawl_entry_encode(&run->mirror->run_arena, &entry, &record->body) != PAWL_OK)
        return false;
    run->local_count++;
    return true;
}

static uint64_t PAWL_CALL host_now_unix_ns(pawl_process *p)
{
    struct run *run = run_of(p);
    if (!may_start(run))
        return 0;
    run->progress++;
    struct command *command = known_command(run);
    if (command == NULL) {
        command = activation_command_make(run->mirror, run->ordinal + 1);
        if (command == NULL || !note_local(run, run->ordinal + 1, run->now_unix_ns)) {
            run_out_of_memory(run);
            return 0;
        }
        command->kind = COMMAND_NOW;
        command->of.value_ns = run->now_unix_ns;
    } else if (command->kind != COMMAND_NOW) {
        struct command found = {.kind = COMMAND_NOW};
        differs(run, run->ordinal + 1, command, &found);
        return 0;
    }
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    return command->of.value_ns;
}

/* ---- awaits and results ---- */

/* May the program ask now? PAWL_SUSPEND after an await has given it. */
static pawl_status may_ask(struct run *run)
{
    pawl_status status = run_enter(run);
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
        return run_misuse(run, PAWL_E_INVALID, "process.ended", "the program has already called complete or fail");
    run->progress++;
    return run_await(run, mode, futures, count, index);
}

static pawl_status PAWL_CALL host_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    struct run *run = run_of(p);
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    pawl_bytes found = {"", 0};
    const pawl_failure *failure = NULL;
    status = run_result(run, future, &found, &failure);
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
    status = run_result(run, future, &value, &failure);
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
    run_enter(run_of(p));
    return run_of(p)->mirror->input;
}

static pawl_bytes PAWL_CALL host_id(pawl_process *p)
{
    run_enter(run_of(p));
    return run_of(p)->mirror->config.id;
}

static pawl_bytes PAWL_CALL host_session(pawl_process *p)
{
    run_enter(run_of(p));
    return run_of(p)->mirror->config.session;
}

static uint32_t PAWL_CALL host_run(pawl_process *p)
{
    run_enter(run_of(p));
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
    run_enter(run_of(p));
    return is_replaying(run_of(p));
}

static void *PAWL_CALL host_alloc(pawl_process *p, size_t size)
{
    struct run *run = run_of(p);
    return run_enter(run) != PAWL_OK ? NULL : run_alloc(run, size);
}

static pawl_bytes PAWL_CALL host_cancel_reason(pawl_process *p)
{
    struct run *run = run_of(p);
    run_enter(run);
    /* Before it was told, whether it is in the journal depends on when one looks. */
    return run->cancel_told ? run->mirror->cancel_reason : (pawl_bytes){"", 0};
}

/* ---- randomness ---- */

static void draw(struct run *run, void *data, size_t size)
{
    uint8_t seed[40], block[16];
    memcpy(seed, run->mirror->seed, 16);
    activation_put_fixed(seed + 16, run->ordinal);
    activation_put_fixed(seed + 24, run->draws++);
    for (size_t done = 0, part; done < size; done += part) {
        activation_put_fixed(seed + 32, done);
        activation_digest((pawl_bytes){seed, sizeof seed}, block);
        part = size - done < sizeof block ? size - done : sizeof block;
        memcpy((uint8_t *)data + done, block, part);
    }
}

static void PAWL_CALL host_random(pawl_process *p, void *data, size_t size)
{
    struct run *run = run_of(p);
    run_enter(run);
    draw(run, data, size);
}

static void PAWL_CALL host_uuid(pawl_process *p, char text[37])
{
    static const char digits[] = "0123456789abcdef";
    struct run *run = run_of(p);
    uint8_t bytes[16];
    run_enter(run);
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
        return run_misuse(run, PAWL_E_LIMIT, "process.document_too_large",
                          "the status document is larger than a value may be");
    if (document.data == NULL && document.size > 0)
        return run_misuse(run, PAWL_E_INVALID, "process.bad_document", "the status document has a size and no data");
    if (document.size > run->document_room) {
        void *buffer = realloc(run->document_buffer, document.size);
        if (buffer == NULL)
            return run_out_of_memory(run);
        run->document_buffer = buffer;
        run->document_room = document.size;
    }
    if (document.size > 0)
        memcpy(run->document_buffer, document.data, document.size);
    run->document = (pawl_bytes){document.size > 0 ? run->document_buffer : "", document.size};
    run->has_document = true;
    return PAWL_OK;
}

static void PAWL_CALL host_log(pawl_process *p, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    struct run *run = run_of(p);
    const pawl_activation_log *log = &run->mirror->config.log;
    if (run_enter(run) == PAWL_OK && log->line != NULL && !is_replaying(run))
        log->line(log->context, run->mirror->config.id, level, message, fields_json);
}

/* ---- the end ---- */

static pawl_status may_end(struct run *run)
{
    pawl_status status = may_ask(run);
    if (status != PAWL_OK)
        return status;
    if (run->outcome != 0)
        return run_misuse(run, PAWL_E_INVALID, "process.ended", "the program has already called complete or fail");
    return PAWL_OK;
}

static pawl_status PAWL_CALL host_complete(pawl_process *p, pawl_bytes output)
{
    struct run *run = run_of(p);
    pawl_status status = may_end(run);
    if (status != PAWL_OK)
        return status;
    if (output.size > run->mirror->config.value_bytes_max)
        return run_misuse(run, PAWL_E_LIMIT, "process.output_too_large",
                          "the output is larger than a value may be: put large content into an attachment");
    if (output.data == NULL && output.size > 0)
        return run_misuse(run, PAWL_E_INVALID, "process.bad_output", "the output has a size and no data");
    if (!run_copy(run, output, &run->output))
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

static pawl_status PAWL_CALL host_fail(pawl_process *p, const pawl_failure *failure)
{
    struct run *run = run_of(p);
    pawl_status status = may_end(run);
    if (status != PAWL_OK)
        return status;
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
    if (!run_copy(run, cut(known.code, 128), &known.code) || !run_copy(run, cut(known.message, 4096), &known.message) ||
        !run_copy(run, cut(known.detail_json, DETAIL_BYTES_MAX), &known.detail_json))
        return run->stuck;
    run->failure = known;
    run->outcome = PAWL_FAILED;
    return PAWL_E_FAILED;
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
    };
    return &table;
}
