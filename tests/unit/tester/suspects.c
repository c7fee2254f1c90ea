/* suspects.c: process types for the tests of `pawl test`: some as they should be, most with one thing that a durable
 * program must not do. Each says what it is. */
#include <pawl_plugin.h>
#include <pawl_process.h>

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

PAWL_PROCESSES(PAWL_TYPE("bad.chance", 1, chance), PAWL_TYPE("bad.hour", 1, hour),
               PAWL_TYPE("warn.clock", 1, idle_clock), PAWL_TYPE("bad.counts", 1, counts),
               PAWL_TYPE("bad.remembers", 1, remembers), PAWL_TYPE("bad.addresses", 1, addresses),
               PAWL_TYPE("bad.outside", 1, outside), PAWL_TYPE("bad.crashes", 1, crashes),
               PAWL_TYPE("bad.hangs", 1, hangs), PAWL_TYPE("good.first", 1, first_of), PAWL_TYPE("good.all", 1, all_of),
               PAWL_TYPE("good.come", 1, as_they_come), PAWL_TYPE("bad.deadlock", 1, deadlock),
               PAWL_TYPE("good.pays", 1, pays), PAWL_TYPE("good.runs", 1, runs), PAWL_TYPE("good.good", 1, good))

#define TYPE(name) "{\"name\":\"" name "\",\"revision\":1}"
PAWL_PLUGIN(
    "com.example.suspects", "1.0.0", "Example",
    "{\"manifest_version\":1,\"id\":\"com.example.suspects\",\"version\":\"1.0.0\","
    "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],\"processes\":[" TYPE("bad.chance") "," TYPE("bad.hour") "," TYPE("warn.clock") "," TYPE("bad.counts") "," TYPE("bad.remembers") "," TYPE("bad.addresses") "," TYPE(
        "bad.outside") "," TYPE("bad.crashes") "," TYPE("bad.hangs") "," TYPE("good.first") "," TYPE("good.all") "," TYPE("good.come") "," TYPE("bad.deadlock") "," TYPE("good.pays") "," TYPE("good.runs") "," TYPE("good.good") "]}",
    pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
