/* activation/update.c: requests that the program answers. An update is waited for and taken like a signal, in a queue
 * of its own, and answered by a command: once, in program order, recorded with what it says. Must never answer what the
 * program has not taken, nor anything twice. */
#include "mirror.h"

#include <string.h>

struct name *pawl_mirror_update_name(pawl_activation *mirror, pawl_bytes name)
{
    char key[NAME_BYTES_MAX + 1];
    if (name.size > NAME_BYTES_MAX)
        name.size = NAME_BYTES_MAX;
    key[0] = UPDATE_PREFIX;
    if (name.size > 0)
        memcpy(key + 1, name.data, name.size);
    return pawl_mirror_name(mirror, (pawl_bytes){key, name.size + 1});
}

pawl_future pawl_program_wait_update(struct run *run, pawl_bytes name)
{
    char key[NAME_BYTES_MAX + 1] = {UPDATE_PREFIX};
    if (!pawl_program_name_is_good(name))
        return pawl_program_wait_signal(run, name); /* which says what is wrong with it */
    memcpy(key + 1, name.data, name.size);
    return pawl_program_wait_named(run, (pawl_bytes){key, name.size + 1});
}

/* ---- answers that are kept ---- */

#define CARRIED_MAX       64u
#define CARRIED_BYTES_MAX (256u << 10)

static size_t size_of(const struct answer *answer)
{
    return answer->id.size + answer->value.size + answer->failure.code.size + answer->failure.message.size +
           answer->failure.detail_json.size;
}

bool pawl_mirror_answer_keep(pawl_activation *mirror, const pawl_entry *entry)
{
    struct answer *answer = pawl_arena_alloc(&mirror->arena, sizeof *answer);
    if (answer == NULL)
        return false;
    *answer = (struct answer){.ordinal = entry->ordinal, .failed = entry->failed};
    if (!pawl_arena_copy(&mirror->arena, entry->name, &answer->id) ||
        !pawl_arena_copy(&mirror->arena, entry->value, &answer->value) ||
        (entry->failed && !pawl_mirror_failure_copy(&mirror->arena, &entry->failure, &answer->failure)))
        return false;
    if (mirror->last_answer == NULL)
        mirror->first_answer = answer;
    else
        mirror->last_answer->next = answer;
    mirror->last_answer = answer;
    mirror->answer_count++;
    return true;
}

void pawl_mirror_answers_rewind(pawl_activation *mirror, uint64_t ordinal)
{
    struct answer **link = &mirror->first_answer;
    mirror->last_answer = NULL;
    while (*link != NULL) {
        struct answer *answer = *link;
        if (answer->ordinal >= ordinal) {
            *link = answer->next;
            mirror->answer_count--;
            continue;
        }
        mirror->last_answer = answer;
        link = &answer->next;
    }
}

pawl_status pawl_mirror_answers_carry(const pawl_activation *mirror,
                                      pawl_status (*visit)(void *context, const pawl_entry *entry), void *context)
{
    size_t count = mirror->answer_count;
    size_t bytes = 0;
    pawl_status status = PAWL_OK;
    for (const struct answer *answer = mirror->first_answer; answer != NULL; answer = answer->next)
        bytes += size_of(answer);
    for (const struct answer *answer = mirror->first_answer; answer != NULL && status == PAWL_OK;
         answer = answer->next) {
        const pawl_entry entry = {.kind = PAWL_RECORD_REPLY,
                                  .name = answer->id,
                                  .failed = answer->failed,
                                  .value = answer->value,
                                  .failure = answer->failure};
        if (count <= CARRIED_MAX && bytes <= CARRIED_BYTES_MAX)
            status = visit(context, &entry);
        count--;
        bytes -= size_of(answer);
    }
    /* Those that the last run gave and that are in no journal yet: nobody else would ever write them. */
    for (size_t i = 0; i < mirror->run.local_count && status == PAWL_OK; i++) {
        pawl_entry entry;
        if (mirror->run.local[i].kind != PAWL_RECORD_REPLY)
            continue;
        status = pawl_entry_decode(&mirror->run.local[i], &entry, NULL);
        entry.ordinal = 0;
        if (status == PAWL_OK)
            status = visit(context, &entry);
    }
    return status;
}

/* ---- answers ---- */

/* What it says, in 16 bytes: value and failure are told apart. */
static void digest_of(pawl_bytes value, const pawl_failure *failure, uint8_t ret[16])
{
    uint8_t parts[65] = {failure != NULL};
    pawl_mirror_digest(value, parts + 1);
    if (failure != NULL) {
        pawl_mirror_digest(failure->code, parts + 17);
        pawl_mirror_digest(failure->message, parts + 33);
        pawl_mirror_digest(failure->detail_json, parts + 49);
    }
    pawl_mirror_digest((pawl_bytes){parts, sizeof parts}, ret);
}

void pawl_mirror_answer_digest(const pawl_entry *entry, uint8_t ret[16])
{
    digest_of(entry->failed ? (pawl_bytes){"", 0} : entry->value, entry->failed ? &entry->failure : NULL, ret);
}

/* The update behind a future, taken and not answered in this run; or NULL, and run->seen says why. */
static struct wait *find_update(struct run *run, pawl_future future)
{
    uint64_t number = future >> 1;
    struct wait *wait = (future & 1) == 0 || number == 0 || number > run->wait_count ? NULL : &run->waits[number - 1];
    if (wait == NULL || wait->taken == NULL || wait->taken->id.size == 0)
        (void)pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_future",
                                  "an answer is for a future that is no update which an await has given");
    else if (wait->answered)
        (void)pawl_program_misuse(run, PAWL_E_INVALID, "process.answered", "an update was answered twice");
    else
        return wait;
    return NULL;
}

static bool note(struct run *run, const struct command *command, const struct wait *wait, pawl_bytes value,
                 const pawl_failure *failure)
{
    pawl_entry entry = {.kind = PAWL_RECORD_REPLY, .ordinal = run->ordinal + 1, .name = wait->taken->id};
    entry.failed = failure != NULL;
    entry.value = value;
    if (failure != NULL)
        entry.failure = *failure;
    return pawl_program_note(run, &entry, &command->recorded);
}

static bool same(const struct command *known, const struct command *found)
{
    return known->kind == COMMAND_REPLY && memcmp(known->of.digest, found->of.digest, 16) == 0 &&
           pawl_mirror_bytes_equal(known->name->text, found->name->text);
}

pawl_status pawl_program_answer(struct run *run, pawl_future future, pawl_bytes value, const pawl_failure *failure)
{
    pawl_status status = pawl_program_may_command(run);
    if (status != PAWL_OK)
        return status;
    struct wait *wait = find_update(run, future);
    if (wait == NULL)
        return run->seen;
    run->progress++;
    if (value.size > run->mirror->config.value_bytes_max || (value.data == NULL && value.size > 0))
        return pawl_program_misuse(run, PAWL_E_LIMIT, "process.reply_too_large",
                                   "a reply is larger than a value may be, or has a size and no data");
    struct name given = {.text = wait->taken->id};
    struct command found = {.kind = COMMAND_REPLY, .name = &given};
    digest_of(value, failure, found.of.digest);
    struct command *command = pawl_program_known_command(run);
    if (command != NULL && !same(command, &found))
        return pawl_program_differs(run, run->ordinal + 1, command, &found);
    if (command == NULL) {
        command = pawl_mirror_command_make(run->mirror, run->ordinal + 1);
        struct name *known = pawl_mirror_name(run->mirror, wait->taken->id);
        if (command == NULL || known == NULL)
            return pawl_program_out_of_memory(run);
        command->name = known;
        memcpy(command->of.digest, found.of.digest, sizeof command->of.digest);
        command->kind = COMMAND_REPLY;
    }
    if (!command->recorded && !note(run, command, wait, value, failure))
        return pawl_program_out_of_memory(run);
    wait->answered = true;
    run->ordinal++;
    if (run->ordinal > run->mirror->ordinal_max)
        run->mirror->ordinal_max = run->ordinal;
    return PAWL_OK;
}
