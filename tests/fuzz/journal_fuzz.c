/* journal_fuzz.c: whole journals of a hostile store, fed to the mirror of a process whose program runs over them:
 * repeated [kind][size, two bytes, least first][body]. A record that is refused changes nothing; and a mirror that was
 * run after every record ends like one that was given the same records at once. */
#include "fuzz.h"

#include "pawl_process.h"
#include "worker/activation/activation.h"

#include <string.h>

#define RECORDS_MAX 64u

typedef struct journal {
    pawl_record records[RECORDS_MAX];
    size_t count;
} journal;

/* A bit of everything: calls, a race with a timer, the clock, signals, a way of stopping. */
static pawl_status program(pawl_process *p)
{
    pawl_bytes held, signal, result;
    int first = 0;
    (void)pawl_now(p);
    PAWL_TRY(pawl_call(p, "a", pawl_input(p), &held));
    pawl_future call = pawl_start_call(p, "b", held);
    pawl_future late = pawl_start_timer(p, 5 * PAWL_SECOND);
    PAWL_TRY(pawl_await_any(p, &first, 2, call, late));
    if (first == 1)
        return pawl_fail(p, "late", "it took too long");
    PAWL_TRY(pawl_result(p, call, &result));
    PAWL_TRY(pawl_signal(p, "go", &signal));
    return pawl_complete(p, pawl_printf(p, "%.*s %.*s", (int)result.size, (const char *)result.data, (int)signal.size,
                                        (const char *)signal.data));
}

PAWL_PROCESS("t", 1, program)

static pawl_activation *create(void)
{
    pawl_activation *mirror = NULL;
    pawl_activation_config config = {
        .id = {"p1", 2},
        .session = {"s1", 2},
        .type = {"t", 1},
        .revision = 1,
        .run = 1,
        .program = &pawl_processes,
        .value_bytes_max = 65536,
        .commands_max = 100,
    };
    FUZZ_CHECK(pawl_activation_create(&config, &mirror, NULL) == PAWL_OK);
    return mirror;
}

static void read_journal(const uint8_t *data, size_t size, journal *ret)
{
    while (size >= 3 && ret->count < RECORDS_MAX) {
        size_t body = (size_t)data[1] | (size_t)data[2] << 8;
        if (body > size - 3)
            body = size - 3;
        pawl_record *record = &ret->records[ret->count++];
        *record = (pawl_record){.struct_size = sizeof *record, .kind = data[0], .body = {data + 3, body}};
        data += 3 + body;
        size -= 3 + body;
    }
}

static void run(pawl_activation *mirror, pawl_run_result *result)
{
    pawl_activation_run(mirror, UINT64_C(1700000000000000000), result);
    FUZZ_CHECK(result->kind >= PAWL_RUN_SUSPENDED && result->kind <= PAWL_RUN_STUCK);
    FUZZ_CHECK(result->kind != PAWL_RUN_STUCK || (result->reason_code.size > 0 && result->reason.size > 0));
    FUZZ_CHECK(result->kind != PAWL_RUN_SUSPENDED || result->waits.size > 0 || result->local_count > 0);
}

static bool same(pawl_bytes a, pawl_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Keep the records that are taken, numbered; the mirror is run after each of them. */
static void feed_one_by_one(pawl_activation *mirror, journal *all, pawl_run_result *result)
{
    size_t taken = 0;
    for (size_t i = 0; i < all->count; i++) {
        pawl_error error = {0};
        pawl_record record = all->records[i];
        record.sequence = taken + 1;
        record.time_unix_ns = 1000 + taken;
        pawl_status status = pawl_activation_feed(mirror, &record, &error);
        FUZZ_CHECK(pawl_activation_head(mirror) == taken + (status == PAWL_OK));
        FUZZ_CHECK(status == PAWL_OK || (error.status == status && error.message[0] != '\0'));
        if (status != PAWL_OK)
            continue;
        all->records[taken++] = record;
        if (!pawl_activation_ended(mirror))
            run(mirror, result);
    }
    all->count = taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    journal all = {.count = 0};
    pawl_run_result live = {0};
    pawl_run_result replayed = {0};
    read_journal(data, size, &all);
    pawl_activation *mirror = create();
    feed_one_by_one(mirror, &all, &live);
    pawl_activation *again = create();
    for (size_t i = 0; i < all.count; i++)
        FUZZ_CHECK(pawl_activation_feed(again, &all.records[i], NULL) == PAWL_OK);
    if (all.count > 0 && !pawl_activation_ended(again)) {
        run(again, &replayed);
        FUZZ_CHECK(live.kind == replayed.kind && live.status == replayed.status);
        FUZZ_CHECK(same(live.output, replayed.output) && same(live.reason_code, replayed.reason_code));
        FUZZ_CHECK(same(live.reason, replayed.reason) && same(live.waits, replayed.waits));
    }
    pawl_activation_destroy(mirror);
    pawl_activation_destroy(again);
    return 0;
}
