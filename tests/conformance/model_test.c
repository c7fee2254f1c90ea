/* model_test.c: why it exists: nobody thinks of every order of things. Thousands of random operations on one store,
 * each answer compared with the model's, the whole store again and again; the seed is printed and given with --seed.
 * Catalogue E12 (the stored state is what its history says), L01-L09, V02, V13 in every mixture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "model.h"
#include "step.h"
#include "view.h"

struct play {
    struct world *world;
    struct model model;
    uint64_t random;
    unsigned step;
    unsigned reopen_every; /* 0: never */
};

static uint32_t roll(struct play *play, uint32_t sides)
{
    play->random = play->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(play->random >> 33) % sides;
}

static void id_of(const struct play *play, int process, char id[24])
{
    snprintf(id, 24, "m-%02d.%u", process, play->model.processes[process].generation);
}

static const char *type_of(uint32_t type)
{
    static const char *const types[MODEL_TYPES] = {"type.a", "type.b", "type.c"};
    return types[type];
}

static void body_of(uint32_t variant, char body[32])
{
    snprintf(body, 32, "body %u", variant);
}

#define EXPECT(play, condition, ...)                                                                                   \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error("seed %llu, step %u: ", (unsigned long long)(play)->world->options->seed, (play)->step);       \
            print_error(__VA_ARGS__);                                                                                  \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

static void compare(struct play *play, struct step *step, struct answer expected, const char *what, int process)
{
    pawl_status status = step_run(step);
    EXPECT(play, status == expected.status, "%s of %d: status %d instead of %d (%s)\n", what, process, status,
           expected.status, step->why.message);
    if (status == PAWL_OK) {
        uint32_t flags = step->op.flags & ~PAWL_RESULT_CLAIMED;
        EXPECT(play, flags == expected.flags, "%s of %d: flags %u instead of %u\n", what, process, flags,
               expected.flags);
        EXPECT(play, expected.sequence == 0 || step->op.sequence == expected.sequence,
               "%s of %d: sequence %llu instead of %llu\n", what, process, (unsigned long long)step->op.sequence,
               (unsigned long long)expected.sequence);
    }
}

static int any_process(struct play *play)
{
    return (int)roll(play, MODEL_PROCESSES);
}

/* Mostly the good token, sometimes an old or a wrong one. */
static uint64_t some_token(struct play *play, int process)
{
    const struct model_process *one = &play->model.processes[process];
    uint32_t choice = roll(play, 10);
    if (choice < 7 && one->token)
        return one->token;
    return choice < 9 ? one->last_token : one->last_token + 1 + roll(play, 3);
}

static uint64_t some_seen(struct play *play, int process)
{
    size_t head = play->model.processes[process].head;
    return roll(play, 4) == 0 && head > 0 ? head - 1 : head;
}

static int any_worker(struct play *play)
{
    struct world *world = play->world;
    int worker = (int)roll(play, MODEL_WORKERS);
    struct model_worker *one = &play->model.workers[worker];
    if (!one->alive) {
        one->session = world_worker(world, "player", WORKER_TTL_NS, NULL);
        one->expires_mono_ns = play->model.mono_ns + WORKER_TTL_NS;
        one->alive = true;
    }
    return worker;
}

static void play_register(struct play *play)
{
    int process = any_process(play);
    char id[24];
    char body[32];
    if (play->model.processes[process].pruned && roll(play, 2))
        model_renew(&play->model, process);
    uint32_t variant = roll(play, 4) == 0;
    uint32_t type = (uint32_t)process % MODEL_TYPES;
    bool external = process % 8 == 7;
    id_of(play, process, id);
    body_of(variant, body);
    struct step *step = step_register(play->world, id, type_of(type), body);
    step->request.registration.external = external;
    int worker = roll(play, 4) == 0 ? any_worker(play) : -1;
    if (worker >= 0)
        step->request.registration.claim_session = play->model.workers[worker].session;
    struct answer expected = model_register(&play->model, process, type, variant, external);
    compare(play, step, expected, "register", process);
    struct model_process *one = &play->model.processes[process];
    if (step->op.status == PAWL_OK) {
        EXPECT(play, one->number == 0 || one->number == step->op.number, "process %d has another number\n", process);
        one->number = step->op.number;
    }
    if (step->op.flags & PAWL_RESULT_CLAIMED) {
        EXPECT(play, worker >= 0 && expected.flags == 0 && !external, "process %d was claimed unasked\n", process);
        EXPECT(play, model_claimed(&play->model, process, worker, step->op.token), "the token did not grow\n");
    }
    step_free(step);
}

static int process_of(struct play *play, const struct row *row)
{
    for (int i = 0; i < MODEL_PROCESSES; i++)
        if (play->model.processes[i].exists && play->model.processes[i].number == row->number)
            return i;
    return -1;
}

static void play_claim(struct play *play)
{
    int worker = any_worker(play);
    uint32_t type = roll(play, MODEL_TYPES);
    uint32_t limit = 1 + roll(play, 3);
    struct row rows[3];
    pawl_bytes types[1] = {text_bytes(type_of(type))};
    pawl_status status;
    size_t got = claim_types_with(play->world, play->model.workers[worker].session, types, 1, limit, rows, &status,
                                  &play->world->why);
    EXPECT(play, status == PAWL_OK, "claim: status %d\n", status);
    for (size_t i = 0; i < got; i++) {
        int process = process_of(play, &rows[i]);
        EXPECT(play, process >= 0 && model_claimable(&play->model, process), "%s must not be claimed\n",
               rows[i].id.head);
        EXPECT(play, rows[i].head == play->model.processes[process].head, "claim: wrong head\n");
        EXPECT(play, strcmp(rows[i].type.head, type_of(type)) == 0, "claim: wrong type\n");
        EXPECT(play, model_claimed(&play->model, process, worker, rows[i].token), "the token did not grow\n");
    }
    for (int i = 0; got < limit && i < MODEL_PROCESSES; i++)
        EXPECT(play, play->model.processes[i].type != type || !model_claimable(&play->model, i),
               "process %d was not handed out\n", i);
}

static void play_claim_by_id(struct play *play)
{
    int process = any_process(play);
    int worker = any_worker(play);
    char id[24];
    id_of(play, process, id);
    pawl_status expected = model_claim_by_id(&play->model, process);
    if (expected == PAWL_E_BUSY && play->model.processes[process].worker == worker)
        return; /* whether a session may claim its own again is left open */
    struct row row;
    pawl_status status = claim_id(play->world, play->model.workers[worker].session, id, &row);
    EXPECT(play, (row.number != 0) == (expected == PAWL_OK), "claim of %d: %shanded out\n", process,
           row.number ? "" : "not ");
    EXPECT(play, expected == PAWL_SUSPEND || status == expected, "claim of %d: status %d instead of %d\n", process,
           status, expected);
    if (row.number != 0)
        EXPECT(play, model_claimed(&play->model, process, worker, row.token), "the token did not grow\n");
}

static void play_append(struct play *play)
{
    int process = any_process(play);
    uint64_t token = some_token(play, process);
    uint32_t variant = roll(play, 100);
    size_t count = 1 + roll(play, 3);
    uint32_t document = roll(play, 4) == 0 ? 1 + roll(play, 9) : 0;
    char body[32];
    body_of(variant, body);
    struct step *step = step_commit(play->world, PAWL_OP_APPEND, play->model.processes[process].number, token, 0);
    for (size_t i = 0; i < count; i++)
        step_record(step, MODEL_NOTE, text_bytes(body));
    if (document) {
        char text[32];
        body_of(document, text);
        step_document(step, text);
    }
    compare(play, step, model_append(&play->model, process, token, variant, count, document), "append", process);
    step_free(step);
}

static void play_suspend(struct play *play)
{
    int process = any_process(play);
    uint64_t token = some_token(play, process);
    uint64_t seen = some_seen(play, process);
    uint32_t variant = roll(play, 100);
    size_t count = roll(play, 3);
    static const uint64_t spans[] = {0, 1, 5, 20};
    uint64_t span = spans[roll(play, 4)];
    uint64_t wake = span ? play->model.unix_ns + (span - 1) * HOST_SECOND_NS : 0;
    char body[32];
    body_of(variant, body);
    struct step *step = step_suspend(play->world, play->model.processes[process].number, token, seen, wake);
    for (size_t i = 0; i < count; i++)
        step_record(step, MODEL_NOTE, text_bytes(body));
    compare(play, step, model_suspend(&play->model, process, token, seen, variant, count, wake), "suspend", process);
    step_free(step);
}

static void play_complete_or_park(struct play *play)
{
    int process = any_process(play);
    uint64_t token = some_token(play, process);
    uint64_t number = play->model.processes[process].number;
    uint32_t variant = roll(play, 100);
    char body[32];
    body_of(variant, body);
    if (roll(play, 2)) {
        uint64_t seen = some_seen(play, process);
        uint32_t status = PAWL_COMPLETED + roll(play, 4);
        struct step *step = step_complete(play->world, number, token, seen, status, body);
        compare(play, step, model_complete(&play->model, process, token, seen, variant, status), "complete", process);
        step_free(step);
    } else {
        struct step *step = step_park(play->world, number, token, body);
        compare(play, step, model_park(&play->model, process, token, variant), "park", process);
        step_free(step);
    }
}

static void play_post(struct play *play)
{
    static const uint32_t kinds[] = {PAWL_RECORD_SIGNAL, PAWL_RECORD_SIGNAL, PAWL_RECORD_CANCEL, PAWL_RECORD_RESUMED,
                                     PAWL_RECORD_ENDED};
    int process = any_process(play);
    uint32_t kind = kinds[roll(play, 5)];
    uint32_t post = roll(play, 10);
    uint32_t variant = roll(play, 10) == 0 ? 1 : 0;
    bool force = kind == PAWL_RECORD_ENDED && roll(play, 3) == 0;
    uint32_t status = kind == PAWL_RECORD_ENDED ? (force ? PAWL_CANCELLED : PAWL_COMPLETED) : 0;
    char id[24];
    char body[32];
    char post_id[16];
    id_of(play, process, id);
    body_of(variant, body);
    snprintf(post_id, sizeof(post_id), "post-%u", post);
    struct step *step = step_post(play->world, kind, id, post_id, body);
    step->request.post.status = status;
    step->request.post.force = force;
    compare(play, step, model_post(&play->model, process, kind, post, variant, status, force), "post", process);
    step_free(step);
}

static void play_release(struct play *play)
{
    int process = any_process(play);
    uint64_t token = some_token(play, process);
    pawl_status expected = model_release(&play->model, process, token);
    pawl_status status =
        play->world->registry->release(play->world->store, play->model.processes[process].number, token);
    EXPECT(play, status == expected || (status == PAWL_E_NOT_FOUND && !play->model.processes[process].exists),
           "release of %d: status %d instead of %d\n", process, status, expected);
}

static void play_worker(struct play *play)
{
    struct world *world = play->world;
    int worker = any_worker(play);
    struct model_worker *one = &play->model.workers[worker];
    if (roll(play, 4) == 0) {
        world->registry->worker_close(world->store, one->session);
        model_worker_gone(&play->model, worker);
        EXPECT(play, world->registry->heartbeat(world->store, one->session) == PAWL_E_STALE,
               "a closed session beats\n");
        return;
    }
    EXPECT(play, world->registry->heartbeat(world->store, one->session) == PAWL_OK, "heartbeat of %d\n", worker);
    one->expires_mono_ns = play->model.mono_ns + WORKER_TTL_NS;
}

static void play_time(struct play *play)
{
    host_advance(play->world->host, (1 + roll(play, 8)) * HOST_SECOND_NS);
    play->world->registry->tick(play->world->store);
    model_set_clocks(&play->model, host_unix_ns(play->world->host), host_mono_ns(play->world->host));
}

static void play_prune(struct play *play)
{
    uint64_t before = play->model.unix_ns - roll(play, 30) * HOST_SECOND_NS;
    uint32_t limit = 1 + roll(play, 2);
    size_t expected = model_prunable(&play->model, before);
    struct step *step = step_prune(play->world, before, limit);
    pawl_status status = step_run(step);
    if (expected > limit)
        expected = limit;
    EXPECT(play, status == PAWL_OK && step->op.count == expected, "prune: status %d, %llu instead of %zu\n", status,
           (unsigned long long)step->op.count, expected);
    step_free(step);
    size_t gone = 0;
    for (int i = 0; i < MODEL_PROCESSES; i++) {
        struct model_process *process = &play->model.processes[i];
        char id[24];
        struct row row;
        id_of(play, i, id);
        if (!process->exists || row_get(play->world, id, &row) == PAWL_OK)
            continue;
        EXPECT(play, PAWL_IS_TERMINAL(process->status) && process->ended_unix_ns < before, "%d was pruned\n", i);
        model_pruned(&play->model, i);
        gone++;
    }
    EXPECT(play, gone == expected, "prune: %zu are gone instead of %zu\n", gone, expected);
}

static bool status_fits(const struct play *play, int index, const struct row *row)
{
    const struct model_process *process = &play->model.processes[index];
    if (process->token != 0)
        return row->status == PAWL_RUNNING && row->token == process->token;
    bool due = row->status == PAWL_WAITING && row->wake_unix_ns != 0 && row->wake_unix_ns <= play->model.unix_ns;
    if (model_claimable(&play->model, index))
        return row->status == PAWL_READY || due;
    if (process->status == PAWL_WAITING)
        return row->status == PAWL_WAITING && row->wake_unix_ns == process->wake_unix_ns;
    return row->status == process->status;
}

static void check_process(struct play *play, int index)
{
    const struct model_process *process = &play->model.processes[index];
    char id[24];
    struct row row;
    id_of(play, index, id);
    pawl_status status = row_get(play->world, id, &row);
    if (!process->exists) {
        EXPECT(play, status == PAWL_E_NOT_FOUND, "get of %d: status %d\n", index, status);
        return;
    }
    EXPECT(play, status == PAWL_OK, "get of %d: status %d: %s\n", index, status, play->world->why.message);
    EXPECT(play, status_fits(play, index, &row), "%d: status %u (wake %llu) instead of %u, lease %llu and %llu\n",
           index, row.status, (unsigned long long)row.wake_unix_ns, process->status, (unsigned long long)row.token,
           (unsigned long long)process->token);
    EXPECT(play, row.head == process->head, "%d: head %llu instead of %zu\n", index, (unsigned long long)row.head,
           process->head);
    EXPECT(play, row.cancelled == process->cancelled, "%d: cancelled is %u\n", index, row.cancelled);
    char document[32] = "";
    if (process->document)
        body_of(process->document, document);
    EXPECT(play, strcmp(row.document.head, document) == 0, "%d: document '%s' instead of '%s'\n", index,
           row.document.head, document);
    struct entry *entries = calloc(process->head + 1, sizeof(*entries));
    size_t count = journal_read(play->world, row.number, 1, 0, entries, process->head + 1, NULL);
    bool same = count == process->head;
    for (size_t i = 0; i < process->head && same; i++) {
        char body[32];
        body_of(process->journal[i].variant, body);
        same = entries[i].sequence == i + 1 && entries[i].kind == process->journal[i].kind &&
               strcmp(entries[i].body.head, body) == 0;
    }
    free(entries);
    EXPECT(play, same, "%d: another journal (%zu records)\n", index, count);
}

static void check_all(struct play *play)
{
    size_t exist = 0;
    for (int i = 0; i < MODEL_PROCESSES; i++) {
        check_process(play, i);
        exist += play->model.processes[i].exists;
    }
    pawl_list all = {.descending = roll(play, 2)};
    size_t listed = rows_all(play->world, all, 1 + roll(play, 9), NULL, 0);
    EXPECT(play, listed == exist, "list: %zu instead of %zu\n", listed, exist);
    char *dump = view_dump(play->world); /* count() against list() */
    free(dump);
    EXPECT(play, play->world->host->violations[0] == '\0', "%s", play->world->host->violations);
}

static void play_reopen(struct play *play)
{
    for (int i = 0; i < MODEL_WORKERS; i++)
        model_worker_gone(&play->model, i);
    world_reopen(play->world);
    model_set_clocks(&play->model, host_unix_ns(play->world->host), host_mono_ns(play->world->host));
    play->world->registry->tick(play->world->store);
    check_all(play);
}

static void play_one(struct play *play)
{
    uint32_t choice = roll(play, 100);
    if (choice < 8)
        play_register(play);
    else if (choice < 20)
        play_claim(play);
    else if (choice < 26)
        play_claim_by_id(play);
    else if (choice < 42)
        play_append(play);
    else if (choice < 56)
        play_suspend(play);
    else if (choice < 60)
        play_complete_or_park(play);
    else if (choice < 74)
        play_post(play);
    else if (choice < 80)
        play_release(play);
    else if (choice < 84)
        play_worker(play);
    else if (choice < 90)
        play_time(play);
    else if (choice < 92)
        play_prune(play);
    else
        check_process(play, any_process(play));
}

static void test_E12_any_history_is_what_the_model_says(void **state)
{
    struct world *world = *state;
    struct play *play = calloc(1, sizeof(*play));
    play->world = world;
    play->random = world->options->seed;
    model_set_clocks(&play->model, host_unix_ns(world->host), host_mono_ns(world->host));
    unsigned every = world->options->reopen ? 40 : world->provider->survives_reopen ? 400 : 0;
    print_message("seed %llu\n", (unsigned long long)world->options->seed);
    for (play->step = 1; play->step <= world->options->steps; play->step++) {
        play_one(play);
        if (play->step % 50 == 0)
            check_all(play);
        if (every && play->step % every == 0)
            play_reopen(play);
    }
    check_all(play);
    model_free(&play->model);
    free(play);
}

static const struct CMUnitTest model_tests[] = {
    CASE(test_E12_any_history_is_what_the_model_says),
};
const struct group model_group = GROUP(model, REGISTRY_BIT);
