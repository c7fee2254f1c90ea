/* suspects.c: process types for the tests of `pawl test`: some as they should be, most with one thing that a durable
 * program must not do. Each says what it is. */
#include <pawl_plugin.h>
#include <pawl_process.h>
#include <pawl_session.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pawl_status call(pawl_process *p, const char *effect, pawl_bytes input)
{
    return pawl_call(p, effect, input, NULL);
}

/* Chance decides what it comes to. */
static pawl_status chance(pawl_process *p)
{
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    return pawl_complete(p, pawl_printf(p, "%d", rand()));
}

/* The time of day decides what it does. */
static pawl_status hour(pawl_process *p)
{
    PAWL_TRY(call(p, "shop.pack", pawl_printf(p, "%lld", (long long)(time(NULL) / 86400))));
    return pawl_complete(p, pawl_text("null"));
}

/* Asked, and of no consequence. */
static pawl_status idle_clock(pawl_process *p)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    return pawl_complete(p, pawl_text("null"));
}

/* Counts its own activations. */
static pawl_status counts(pawl_process *p)
{
    static unsigned count;
    count++;
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    return pawl_complete(p, pawl_printf(p, "%u", count));
}

/* Remembers a result in memory: a worker that has just begun does not know it. */
static pawl_status remembers(pawl_process *p)
{
    static int packed;
    pawl_future pack = pawl_start_call(p, "shop.pack", pawl_text("1"));
    PAWL_TRY(pawl_await(p, pack));
    if (!pawl_replaying(p))
        packed = 1;
    PAWL_TRY(call(p, "shop.send", pawl_text("1")));
    return pawl_complete(p, packed ? pawl_text("\"packed\"") : pawl_text("\"empty\""));
}

/* Puts things in order by where they lie in memory. */
static pawl_status addresses(pawl_process *p)
{
    void *first = malloc(40), *second = malloc(40);
    int rises = (uintptr_t)first < (uintptr_t)second;
    free(second);
    free(first);
    PAWL_TRY(call(p, rises ? "shop.pack" : "shop.send", pawl_text("1")));
    return pawl_complete(p, pawl_text("null"));
}

/* Does something outside that is no effect. */
static pawl_status outside(pawl_process *p)
{
    int fd = open("/dev/null", O_WRONLY);
    if (fd >= 0)
        close(fd);
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    return pawl_complete(p, pawl_text("null"));
}

static pawl_status crashes(pawl_process *p)
{
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    abort();
}

static pawl_status hangs(pawl_process *p)
{
    volatile int forever = 1;
    PAWL_TRY(call(p, "shop.pack", pawl_text("1")));
    while (forever)
        ;
    return pawl_complete(p, pawl_text("null"));
}

/* Two calls at once; it says which came first, as it may. */
static pawl_status first_of(pawl_process *p)
{
    int first = 0;
    pawl_future left = pawl_start_call(p, "shop.left", pawl_text("1"));
    pawl_future right = pawl_start_call(p, "shop.right", pawl_text("2"));
    PAWL_TRY(pawl_await_any(p, &first, 2, left, right));
    PAWL_TRY(pawl_await_all(p, 2, left, right));
    return pawl_complete(p, pawl_printf(p, "%d", first));
}

/* Four calls at once, all awaited: their order is nothing that it could see. */
static pawl_status all_of(pawl_process *p)
{
    pawl_future calls[4];
    for (unsigned i = 0; i < 4; i++)
        calls[i] = pawl_start_call(p, "shop.pack", pawl_printf(p, "%u", i));
    PAWL_TRY(pawl_await_all_of(p, calls, 4));
    return pawl_complete(p, pawl_text("4"));
}

/* The four as they come: every order is another one. */
static pawl_status as_they_come(pawl_process *p)
{
    pawl_future calls[4];
    pawl_bytes order = pawl_text("");
    size_t left = 4;
    for (unsigned i = 0; i < 4; i++)
        calls[i] = pawl_start_call(p, "shop.pack", pawl_printf(p, "%u", i));
    for (; left > 0; left--) {
        int first = 0;
        pawl_bytes value;
        PAWL_TRY(pawl_await_any_of(p, &first, calls, left));
        PAWL_TRY(pawl_result(p, calls[first], &value));
        order = pawl_printf(p, "%.*s%.*s", (int)order.size, (const char *)order.data, (int)value.size,
                            (const char *)value.data);
        calls[first] = calls[left - 1];
    }
    return pawl_complete(p, order);
}

/* Waits for the answer or for a minute, and never ends when the answer comes first. */
static pawl_status deadlock(pawl_process *p)
{
    int first = 0;
    pawl_future pack = pawl_start_call(p, "shop.pack", pawl_text("1"));
    pawl_future late = pawl_start_timer(p, PAWL_MINUTE);
    PAWL_TRY(pawl_await_any(p, &first, 2, pack, late));
    if (first == 1)
        PAWL_TRY(pawl_signal(p, "nobody-sends-this", NULL));
    return pawl_complete(p, pawl_text("null"));
}

/* What must not be repeated blindly. */
static pawl_status pays(pawl_process *p)
{
    pawl_bytes receipt;
    PAWL_TRY(pawl_call(p, "bank.pay", pawl_text("100"), &receipt));
    return pawl_complete(p, receipt);
}

/* A run for each order, three in all. */
static pawl_status runs(pawl_process *p)
{
    pawl_bytes order;
    PAWL_TRY(pawl_signal(p, "order", &order));
    PAWL_TRY(call(p, "shop.pack", order));
    PAWL_TRY(pawl_set_status(p, order));
    if (p->host->run(p) < 3)
        return pawl_continue_as_new(p, order);
    return pawl_complete(p, order);
}

/* Sleeps, reads the clock, draws a number: as it should be done. */
static pawl_status good(pawl_process *p)
{
    char id[37];
    uint64_t now = pawl_now(p);
    pawl_uuid(p, id);
    PAWL_TRY(pawl_sleep(p, PAWL_HOUR));
    PAWL_TRY(call(p, "shop.pack", pawl_text(id)));
    return pawl_complete(p, pawl_printf(p, "%llu", (unsigned long long)((pawl_now(p) - now) / PAWL_SECOND)));
}

/* Adds its input to the balance of its session. */
static pawl_status account(pawl_process *p)
{
    long amount = strtol(pawl_cstring(p, pawl_input(p)), NULL, 10);
    for (;;) {
        pawl_bytes before = pawl_text("0"), after;
        uint64_t revision = 0;
        pawl_status status = pawl_session_get(p, "balance", &before, &revision);
        if (status != PAWL_E_NOT_FOUND)
            PAWL_TRY(status);
        after = pawl_printf(p, "%ld", strtol(pawl_cstring(p, before), NULL, 10) + amount);
        status = pawl_session_put(p, revision, "balance", after, NULL);
        if (status == PAWL_OK)
            return pawl_complete(p, after);
        if (status != PAWL_E_STALE)
            return status;
    }
}

/* A program of its own for each input, all as they should be: calls, timers, children, waits and their order, undoing,
 * versions, clocks, new runs. */
typedef struct dice {
    uint64_t state;
} dice;

static unsigned roll(dice *d, unsigned sides)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((d->state >> 33) % sides);
}

static pawl_future begin(pawl_process *p, dice *d, unsigned number)
{
    static const char *const effects[] = {"any.once", "any.again", "any.asked", "any.slow"};
    switch (roll(d, 6)) {
    case 0:
        return pawl_start_timer(p, (1 + roll(d, 5)) * PAWL_SECOND);
    case 1:
        return pawl_start_child(p, "any.child", pawl_printf(p, "%u", number));
    case 2:
        return pawl_wait_signal(p, roll(d, 2) == 0 ? "left" : "right");
    default: {
        pawl_future made = pawl_start_call(p, effects[roll(d, 4)], pawl_printf(p, "%u", number));
        if (roll(d, 3) == 0)
            (void)pawl_on_rollback_of(p, made, "any.undo", pawl_printf(p, "%u", number));
        return made;
    }
    }
}

static pawl_status await_some(pawl_process *p, dice *d, pawl_future *list, size_t *count, uint64_t *sum)
{
    int first = 0;
    pawl_bytes value = pawl_text("");
    pawl_status status;
    if (roll(d, 3) == 0) {
        status = pawl_await_all_of(p, list, *count);
        *count = status == PAWL_OK ? 0 : *count;
        return status;
    }
    PAWL_TRY(pawl_await_any_of(p, &first, list, *count));
    status = pawl_result(p, list[first], &value);
    *sum = *sum * 31 + (uint64_t)first + value.size;
    list[first] = list[--*count];
    return status == PAWL_E_FAILED && roll(d, 2) == 0 ? PAWL_OK : status;
}

static pawl_status any_program(pawl_process *p)
{
    dice d = {strtoull(pawl_cstring(p, pawl_input(p)), NULL, 10) * 2654435761u + p->host->run(p)};
    pawl_future list[8];
    size_t count = 0;
    uint64_t sum = 0;
    unsigned length = 3 + roll(&d, 8);
    for (unsigned i = 0; i < length; i++) {
        if (count < 4)
            list[count++] = begin(p, &d, i);
        if (roll(&d, 4) == 0)
            PAWL_TRY(pawl_on_rollback(p, "any.undo", pawl_printf(p, "%u", i)));
        if (roll(&d, 5) == 0)
            sum += pawl_version(p, i % 2 == 0 ? "even" : "odd", 0, 2);
        if (roll(&d, 6) == 0)
            sum += pawl_now(p) / PAWL_HOUR;
        if (roll(&d, 6) == 0)
            PAWL_TRY(pawl_set_status(p, pawl_printf(p, "%u", i)));
        if (roll(&d, 3) != 0)
            PAWL_TRY(await_some(p, &d, list, &count, &sum));
    }
    while (count > 0)
        PAWL_TRY(await_some(p, &d, list, &count, &sum));
    if (roll(&d, 5) == 0 && p->host->run(p) < 3)
        return pawl_continue_as_new(p, pawl_input(p));
    if (roll(&d, 5) == 0)
        return pawl_fail(p, "any.failed", "as its dice said");
    return pawl_complete(p, pawl_printf(p, "%llu", (unsigned long long)sum));
}

PAWL_PROCESSES(PAWL_TYPE("good.any", 1, any_program), PAWL_TYPE("good.account", 1, account),
               PAWL_TYPE("bad.chance", 1, chance), PAWL_TYPE("bad.hour", 1, hour),
               PAWL_TYPE("warn.clock", 1, idle_clock), PAWL_TYPE("bad.counts", 1, counts),
               PAWL_TYPE("bad.remembers", 1, remembers), PAWL_TYPE("bad.addresses", 1, addresses),
               PAWL_TYPE("bad.outside", 1, outside), PAWL_TYPE("bad.crashes", 1, crashes),
               PAWL_TYPE("bad.hangs", 1, hangs), PAWL_TYPE("good.first", 1, first_of), PAWL_TYPE("good.all", 1, all_of),
               PAWL_TYPE("good.come", 1, as_they_come), PAWL_TYPE("bad.deadlock", 1, deadlock),
               PAWL_TYPE("good.pays", 1, pays), PAWL_TYPE("good.runs", 1, runs), PAWL_TYPE("good.good", 1, good))

#define TYPE(name) "{\"name\":\"" name "\",\"revision\":1}"
PAWL_PLUGIN("com.example.suspects", "1.0.0", "Example",
            "{\"manifest_version\":1,\"id\":\"com.example.suspects\",\"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],\"processes\":[" TYPE(
                "good.any") "," TYPE("good."
                                     "account") "," TYPE("bad.chance") "," TYPE("bad.hour") "," TYPE("warn.clock") "," TYPE("bad.counts") "," TYPE("bad.remembers") "," TYPE("bad.addresses") "," TYPE("bad.outside") "," TYPE("bad.crashes") "," TYPE("bad.hangs") "," TYPE("good.first") "," TYPE("good.all") "," TYPE("good.come") "," TYPE("bad.deadlock") "," TYPE("good.pays") "," TYPE("good.runs") "," TYPE("good.good") "]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
