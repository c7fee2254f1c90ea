/* witness.c: see witness.h. Every function of the process host goes through to the real table; what is written down is
 * what the program can see, never when or how often it saw it. */
#include "witness.h"

#include "worker/activation/process_host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SIGNAL_BIT (UINT64_C(1) << 63)

pawl_tester_token pawl_tester_token_of_signal(pawl_bytes name)
{
    return XXH3_64bits(name.data, name.size) | SIGNAL_BIT;
}

/* ---- who watches ---- */

/* The program gets no context of ours, so the thread that runs it has to know. Set while it runs, and only then. */
static _Thread_local pawl_witness *watching;
static _Thread_local pawl_process_host seeing; /* the same for every witness; a kept program goes on with it */

pawl_witness *pawl_witness_enter(pawl_witness *witness)
{
    pawl_witness *before = watching;
    watching = witness;
    return before;
}

void pawl_witness_init(pawl_witness *witness, const pawl_process_table *program)
{
    *witness = (pawl_witness){.program = program, .run = 1};
}

void pawl_witness_finish(pawl_witness *witness)
{
    pawl_tester_text_finish(&witness->log);
    free(witness->waits);
    free(witness->tokens);
    free(witness->races);
    free(witness->undone);
    free(witness->given);
    free(witness->commands);
    *witness = (pawl_witness){0};
}

static void add_token(pawl_tester_token **list, size_t *count, size_t *room, pawl_tester_token token)
{
    if (*count == *room) {
        size_t more = *room == 0 ? 16 : *room * 2;
        pawl_tester_token *larger = realloc(*list, more * sizeof **list);
        if (larger == NULL) {
            watching->log.no_memory = true;
            return;
        }
        *list = larger;
        *room = more;
    }
    (*list)[(*count)++] = token;
}

static const pawl_process_host *real(void)
{
    return pawl_process_host_table();
}

/* ---- what the program asks for ---- */

static pawl_tester_text *out(void)
{
    return &watching->log;
}

static void say(const char *what, pawl_bytes name, pawl_bytes value)
{
    pawl_tester_text_add(out(), "%s ", what);
    pawl_tester_text_value(out(), name);
    pawl_tester_text_bytes(out(), "  ", 2);
    pawl_tester_text_value(out(), value);
    pawl_tester_text_bytes(out(), "\n", 1);
}

static void say_future(pawl_future future)
{
    if (future == 0)
        pawl_tester_text_bytes(out(), "#none", 5);
    else if (future & 1)
        pawl_tester_text_add(out(), "wait %" PRIu64, future >> 1);
    else
        pawl_tester_text_add(out(), "#%" PRIu64, future >> 1);
}

static pawl_bytes PAWL_CALL see_input(pawl_process *p)
{
    return real()->input(p);
}

static pawl_bytes PAWL_CALL see_id(pawl_process *p)
{
    return real()->id(p);
}

static pawl_bytes PAWL_CALL see_session(pawl_process *p)
{
    return real()->session(p);
}

static uint32_t PAWL_CALL see_run(pawl_process *p)
{
    return real()->run(p);
}

static int32_t PAWL_CALL see_replaying(pawl_process *p)
{
    return real()->replaying(p);
}

static void *PAWL_CALL see_alloc(pawl_process *p, size_t size)
{
    return real()->alloc(p, size);
}

static void say_options(const pawl_call_options *options)
{
    if (options == NULL)
        return;
    if (options->attempts_max != 0)
        pawl_tester_text_add(out(), "  at most %" PRIu32 " attempts", options->attempts_max);
    if (options->timeout_ns != 0)
        pawl_tester_text_add(out(), "  timeout %" PRIu64 " ms", options->timeout_ns / 1000000);
}

static void note_command(pawl_future future)
{
    pawl_witness *w = watching;
    if (future == 0)
        return;
    if (w->command_count == w->command_room) {
        size_t room = w->command_room == 0 ? 16 : w->command_room * 2;
        pawl_tester_command *commands = realloc(w->commands, room * sizeof *commands);
        if (commands == NULL) {
            w->log.no_memory = true;
            return;
        }
        w->commands = commands;
        w->command_room = room;
    }
    w->commands[w->command_count++] = (pawl_tester_command){PAWL_TESTER_TOKEN_OF(w->run, future >> 1), w->given_count};
}

static pawl_future PAWL_CALL see_start_call(pawl_process *p, pawl_bytes name, pawl_bytes input,
                                            const pawl_call_options *options)
{
    pawl_future future = real()->start_call(p, name, input, options);
    note_command(future);
    say_future(future);
    say("  call", name, input);
    if (options != NULL && (options->attempts_max != 0 || options->timeout_ns != 0)) {
        out()->size--;
        say_options(options);
        pawl_tester_text_bytes(out(), "\n", 1);
    }
    return future;
}

static pawl_future PAWL_CALL see_start_timer(pawl_process *p, uint64_t after_ns)
{
    pawl_future future = real()->start_timer(p, after_ns);
    note_command(future);
    say_future(future);
    pawl_tester_text_add(out(), "  timer  %" PRIu64 ".%06" PRIu64 " s\n", after_ns / 1000000000,
                         after_ns % 1000000000 / 1000);
    return future;
}

static void note_wait(pawl_future future, pawl_bytes name)
{
    if (future != 0)
        add_token(&watching->waits, &watching->wait_count, &watching->wait_room, pawl_tester_token_of_signal(name));
}

static pawl_future PAWL_CALL see_wait_signal(pawl_process *p, pawl_bytes name)
{
    pawl_future future = real()->wait_signal(p, name);
    note_wait(future, name);
    say_future(future);
    say("  waits for signal", name, (pawl_bytes){" ", 1});
    return future;
}

static pawl_future PAWL_CALL see_wait_update(pawl_process *p, pawl_bytes name)
{
    pawl_future future = real()->wait_update(p, name);
    note_wait(future, name);
    say_future(future);
    say("  waits for update", name, (pawl_bytes){" ", 1});
    return future;
}

static pawl_tester_token token_of(pawl_future future)
{
    uint64_t number = future >> 1;
    if (future & 1)
        return number >= 1 && number <= watching->wait_count ? watching->waits[number - 1] : 0;
    return PAWL_TESTER_TOKEN_OF(watching->run, number);
}

/* What an await gave. Of several signals of one name it is not known which one it was: they are left out. */
static void note_given(uint32_t mode, const pawl_future *futures, size_t count, size_t at)
{
    for (size_t i = 0; i < count && futures != NULL; i++)
        if ((mode != PAWL_AWAIT_ANY || i == at) && (futures[i] & 1) == 0)
            add_token(&watching->given, &watching->given_count, &watching->given_room, token_of(futures[i]));
}

static void note_race(const pawl_future *futures, size_t count)
{
    if (count < 2 || futures == NULL)
        return;
    if (watching->race_count == watching->race_room) {
        size_t room = watching->race_room == 0 ? 16 : watching->race_room * 2;
        pawl_tester_race *races = realloc(watching->races, room * sizeof *races);
        if (races == NULL) {
            watching->log.no_memory = true;
            return;
        }
        watching->races = races;
        watching->race_room = room;
    }
    watching->races[watching->race_count++] = (pawl_tester_race){watching->token_count, count};
    for (size_t i = 0; i < count; i++)
        add_token(&watching->tokens, &watching->token_count, &watching->token_room, token_of(futures[i]));
}

static pawl_status PAWL_CALL see_await(pawl_process *p, uint32_t mode, const pawl_future *futures, size_t count,
                                       size_t *index)
{
    size_t at = 0;
    if (mode == PAWL_AWAIT_ANY)
        note_race(futures, count);
    pawl_status status = real()->await(p, mode, futures, count, &at);
    if (status == PAWL_SUSPEND)
        return status; /* what it comes to is not known yet: nothing that a later run must repeat */
    pawl_tester_text_add(out(), "    await %s", mode == PAWL_AWAIT_ANY && count > 1 ? "any of " : "");
    for (size_t i = 0; i < count && futures != NULL; i++) {
        if (i > 0)
            pawl_tester_text_bytes(out(), ", ", 2);
        say_future(futures[i]);
    }
    if (status == PAWL_E_CANCELLED) {
        pawl_tester_text_add(out(), " -> cancelled\n");
    } else if (status != PAWL_OK) {
        pawl_tester_text_add(out(), " -> status %" PRId32 "\n", status);
    } else {
        note_given(mode, futures, count, at);
        pawl_tester_text_bytes(out(), " -> ", 4);
        if (mode == PAWL_AWAIT_ANY && futures != NULL && at < count)
            say_future(futures[at]);
        else
            pawl_tester_text_bytes(out(), "all", 3);
        pawl_tester_text_bytes(out(), "\n", 1);
    }
    if (index != NULL && status == PAWL_OK && mode == PAWL_AWAIT_ANY)
        *index = at;
    return status;
}

static pawl_status PAWL_CALL see_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    pawl_bytes got = {NULL, 0};
    pawl_status status = real()->result(p, future, &got);
    pawl_tester_text_bytes(out(), "    ", 4);
    say_future(future);
    if (status == PAWL_OK) {
        pawl_tester_text_bytes(out(), " = ", 3);
        pawl_tester_text_value(out(), got);
    } else {
        pawl_tester_text_add(out(), " has no result: status %" PRId32, status);
    }
    pawl_tester_text_bytes(out(), "\n", 1);
    if (status == PAWL_OK && value != NULL)
        *value = got;
    return status;
}

static pawl_status PAWL_CALL see_failure(pawl_process *p, pawl_future future, pawl_failure *failure)
{
    pawl_status status = real()->failure(p, future, failure);
    pawl_tester_text_bytes(out(), "    ", 4);
    say_future(future);
    if (status == PAWL_OK)
        say(" failed with", failure->code, failure->message);
    else
        pawl_tester_text_add(out(), " has no failure: status %" PRId32 "\n", status);
    return status;
}

static uint64_t PAWL_CALL see_now(pawl_process *p)
{
    uint64_t now = real()->now_unix_ns(p);
    pawl_tester_text_add(out(), "    clock  %" PRIu64 "\n", now);
    return now;
}

static void PAWL_CALL see_random(pawl_process *p, void *data, size_t size)
{
    real()->random(p, data, size);
    pawl_tester_text_add(out(), "    random  %zu bytes\n", size);
}

static void PAWL_CALL see_uuid(pawl_process *p, char text[37])
{
    real()->uuid(p, text);
    pawl_tester_text_add(out(), "    uuid  %.36s\n", text);
}

static pawl_status PAWL_CALL see_set_status(pawl_process *p, pawl_bytes document)
{
    say("    status", (pawl_bytes){"document", 8}, document);
    return real()->set_status(p, document);
}

static void PAWL_CALL see_log(pawl_process *p, uint32_t level, pawl_bytes message, pawl_bytes fields)
{
    real()->log(p, level, message, fields);
}

static pawl_status PAWL_CALL see_complete(pawl_process *p, pawl_bytes output)
{
    say("    completes", (pawl_bytes){"with", 4}, output);
    return real()->complete(p, output);
}

static pawl_status PAWL_CALL see_fail(pawl_process *p, const pawl_failure *failure)
{
    if (failure != NULL)
        say("    fails with", failure->code, failure->message);
    return real()->fail(p, failure);
}

static pawl_bytes PAWL_CALL see_cancel_reason(pawl_process *p)
{
    return real()->cancel_reason(p);
}

static uint32_t PAWL_CALL see_version(pawl_process *p, pawl_bytes id, uint32_t min, uint32_t max)
{
    uint32_t version = real()->version(p, id, min, max);
    pawl_tester_text_bytes(out(), "    version of ", 15);
    pawl_tester_text_value(out(), id);
    pawl_tester_text_add(out(), "  %" PRIu32 "\n", version);
    return version;
}

static uint64_t PAWL_CALL see_journal_bytes(pawl_process *p)
{
    return real()->journal_bytes(p);
}

static uint64_t PAWL_CALL see_journal_records(pawl_process *p)
{
    return real()->journal_records(p);
}

static int32_t PAWL_CALL see_should_continue(pawl_process *p)
{
    return real()->should_continue(p);
}

static pawl_status PAWL_CALL see_continue_as_new(pawl_process *p, pawl_bytes input)
{
    say("    goes on as a new", (pawl_bytes){"run", 3}, input);
    return real()->continue_as_new(p, input);
}

static pawl_future PAWL_CALL see_start_child(pawl_process *p, pawl_bytes type, pawl_bytes input,
                                             const pawl_child_options *options)
{
    pawl_future future = real()->start_child(p, type, input, options);
    note_command(future);
    say_future(future);
    say("  child", type, input);
    return future;
}

static pawl_status PAWL_CALL see_child_id(pawl_process *p, pawl_future future, pawl_bytes *id)
{
    return real()->child_id(p, future, id);
}

static pawl_status PAWL_CALL see_set_attributes(pawl_process *p, pawl_bytes object)
{
    say("    search", (pawl_bytes){"attributes", 10}, object);
    return real()->set_attributes(p, object);
}

static pawl_status PAWL_CALL see_on_rollback(pawl_process *p, pawl_future of, pawl_bytes name, pawl_bytes input,
                                             const pawl_call_options *options)
{
    if (of != 0)
        add_token(&watching->undone, &watching->undone_count, &watching->undone_room, token_of(of));
    pawl_tester_text_bytes(out(), "    to undo ", 12);
    say_future(of);
    say(":", name, input);
    return real()->on_rollback(p, of, name, input, options);
}

static pawl_status PAWL_CALL see_answer(pawl_process *p, pawl_future update, pawl_bytes value,
                                        const pawl_failure *failure)
{
    pawl_tester_text_bytes(out(), "    answers ", 12);
    say_future(update);
    if (failure != NULL)
        say(" no:", failure->code, failure->message);
    else
        say(" with", (pawl_bytes){":", 1}, value);
    return real()->answer(p, update, value, failure);
}

/* The host's own table with what is to be seen in it; what a later host has besides goes through unseen. */
static void watch_table(pawl_process_host *table)
{
    *table = *real();
    table->input = see_input;
    table->id = see_id;
    table->session = see_session;
    table->run = see_run;
    table->replaying = see_replaying;
    table->alloc = see_alloc;
    table->start_call = see_start_call;
    table->start_timer = see_start_timer;
    table->wait_signal = see_wait_signal;
    table->await = see_await;
    table->result = see_result;
    table->failure = see_failure;
    table->now_unix_ns = see_now;
    table->random = see_random;
    table->uuid = see_uuid;
    table->set_status = see_set_status;
    table->log = see_log;
    table->complete = see_complete;
    table->fail = see_fail;
    table->cancel_reason = see_cancel_reason;
    table->version = see_version;
    table->journal_bytes = see_journal_bytes;
    table->journal_records = see_journal_records;
    table->should_continue = see_should_continue;
    table->continue_as_new = see_continue_as_new;
    table->start_child = see_start_child;
    table->child_id = see_child_id;
    table->set_attributes = see_set_attributes;
    table->on_rollback = see_on_rollback;
    table->wait_update = see_wait_update;
    table->answer = see_answer;
}

/* From the top: what was written down of the run before is void. */
static pawl_status PAWL_CALL activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    pawl_witness *w = watching;
    if (w == NULL)
        return PAWL_E_UNSUPPORTED;
    pawl_tester_text_reset(&w->log);
    w->wait_count = 0;
    w->token_count = w->token_base;
    w->race_count = w->race_base;
    w->undone_count = w->undone_base;
    w->given_count = w->given_base;
    w->command_count = w->command_base;
    w->activations++;
    watch_table(&seeing);
    p->host = &seeing;
    return w->program->activate(p, type, revision);
}

const pawl_process_table *pawl_witness_table(void)
{
    static const pawl_process_table table = {sizeof table, 0, activate};
    return &table;
}

static bool has(const pawl_tester_token *list, size_t count, pawl_tester_token token)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == token)
            return true;
    return false;
}

void pawl_witness_next_run(pawl_witness *w)
{
    w->token_base = w->token_count;
    w->race_base = w->race_count;
    w->undone_base = w->undone_count;
    w->given_base = w->given_count;
    w->command_base = w->command_count;
    w->wait_count = 0;
    w->run++;
}

bool pawl_witness_follows(const pawl_witness *w, pawl_tester_token command, pawl_tester_token given)
{
    for (size_t i = 0; i < w->command_count; i++)
        if (w->commands[i].token == command)
            return has(w->given, w->commands[i].given, given);
    return true; /* it is none of the program's: what undoes its steps comes one after the other */
}

bool pawl_witness_tells_apart(const pawl_witness *w, pawl_tester_token left, pawl_tester_token right)
{
    if (left == right || left == PAWL_TESTER_TOKEN_ALL || right == PAWL_TESTER_TOKEN_ALL)
        return true;
    if (has(w->undone, w->undone_count, left) && has(w->undone, w->undone_count, right))
        return true;
    for (size_t i = 0; i < w->race_count; i++) {
        const pawl_tester_token *list = w->tokens + w->races[i].first;
        if (has(list, w->races[i].count, left) && has(list, w->races[i].count, right))
            return true;
    }
    return false;
}
