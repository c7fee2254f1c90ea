/* serve_loop_test.c: SIGKILL at random moments over `pawl serve` while a client starts, signals, cancels and completes:
 * the kill falls into requests as well as into work. After each kill the store is opened without a worker and audited:
 * what was answered is there, and the effects' own log agrees with every journal. At the end each process has ended as
 * its kind does. The seed is printed; PAWL_SEED gives it again. `--long`: more of everything. */
#include "../integration/serve/audit.h"
#include "../integration/serve/yard.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMBERS_MAX 2000

typedef struct kind {
    const char *plan; /* NULL: an external process */
    const char *tail; /* what is posted to it, NULL: nothing */
    const char *body;
    const char *end;
} kind;

static const kind kinds[] = {
    {"step once quick keyed later check", NULL, NULL, "completed"},
    {"both:4 step:2 once:1 sleep:15 check:2", NULL, NULL, "completed"},
    {"step:1:2 once:1:1 keyed:2", NULL, NULL, "completed"},
    {"step signal:go once:1 check", "/signals", "{\"name\":\"go\",\"payload\":1,\"id\":\"s1\"}", "completed"},
    {"keyed signal:never step", "/cancel", "{\"reason\":\"enough\"}", "cancelled"},
    {"once:1 check fail:probe.planned", NULL, NULL, "failed"},
    {NULL, "/complete", "{\"output\":\"from outside\"}", "completed"},
};
#define KINDS (sizeof kinds / sizeof *kinds)

typedef struct member {
    char id[12];
    const kind *kind;
    bool started; /* and answered */
    bool cut;     /* something was sent to it and not answered: it may have been done */
    bool told;    /* and answered, or nothing is to be told */
} member;

typedef struct crowd {
    member members[MEMBERS_MAX];
    size_t count;
    size_t answered;
} crowd;

static struct {
    size_t members;
    unsigned kills;
    unsigned seed;
} wanted; /* set by main, before any test */

static int open_yard(void **state)
{
    *state = yard_open("retry: { attempts: 20, first_delay: 5ms, max_delay: 20ms }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* A generator of our own, so that a seed means the same on every machine. */
static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* ---- the client ------------------------------------------------------------------------------------------------- */

static long send_start(const yard *y, const member *m)
{
    json_t *body = m->kind->plan == NULL
                       ? json_pack("{s:s, s:s, s:b}", "type", "probe.plan", "id", m->id, "external", 1)
                       : json_pack("{s:s, s:s, s:s}", "type", "probe.plan", "id", m->id, "input_text", m->kind->plan);
    return api_call(y, "POST", "/v1/processes", body, NULL);
}

/* The next thing about one process. False: nobody answered. */
static bool step(const yard *y, crowd *c, member *m)
{
    bool is_start = !m->started;
    long status = is_start ? send_start(y, m)
                           : api_process(y, "POST", m->id, m->kind->tail, json_loads(m->kind->body, 0, NULL), NULL);
    if (status == 0) {
        m->cut = true;
        return false;
    }
    bool is_known = status == 409 && m->cut && !is_start; /* it was done, and has led to the end */
    if (!is_known && (status < 200 || status > 299))
        fail_msg("%s %s: HTTP status %ld", is_start ? "start" : m->kind->tail, m->id, status);
    m->told = is_start ? m->kind->tail == NULL : true;
    m->started = true;
    c->answered++;
    return true;
}

/* Requests in a random order, until they are done, so many were answered, or nobody answers. */
static void talk(const yard *y, crowd *c, size_t many, unsigned *seed)
{
    size_t from = next(seed) % c->count;
    for (size_t i = 0; i < c->count && many > 0; i++) {
        member *m = &c->members[(from + i) % c->count];
        for (; (!m->started || !m->told) && many > 0; many--) {
            if (!step(y, c, m))
                return;
            if (many < c->count)
                let_pass_ms(next(seed) % 3);
        }
    }
}

typedef struct killer {
    pid_t server;
    unsigned after_us;
} killer;

static void *kill_later(void *context)
{
    const killer *k = context;
    struct timespec span = {0, (long)k->after_us * 1000L};
    nanosleep(&span, NULL);
    kill(k->server, SIGKILL);
    return NULL;
}

static void talk_until_killed(yard *y, crowd *c, unsigned *seed)
{
    pthread_t thread;
    YARD_SERVE(y, NULL);
    killer k = {.server = y->server, .after_us = next(seed) % 150000};
    assert_int_equal(pthread_create(&thread, NULL, kill_later, &k), 0);
    talk(y, c, 3 * c->count / wanted.kills, seed);
    pthread_join(thread, NULL);
    int ended = yard_end(y);
    if (ended != -SIGKILL)
        fail_msg("pawl serve ended with %d before it was killed", ended);
}

/* ---- the audit -------------------------------------------------------------------------------------------------- */

static void check_answered(const yard *y, const member *m)
{
    json_t *process = NULL;
    long status = api_process(y, "GET", m->id, "", NULL, &process);
    if (status != 200)
        fail_msg("%s: its start was answered, and now it is not there: HTTP status %ld", m->id, status);
    const char *now = json_string_value(json_object_get(process, "status"));
    bool cancelled = json_is_true(json_object_get(process, "cancelled"));
    if (m->told && m->kind->tail != NULL && strcmp(m->kind->tail, "/cancel") == 0 && !cancelled &&
        strcmp(now, "cancelled") != 0)
        fail_msg("%s: its cancel was answered, and it is %s and not asked to stop", m->id, now);
    if (m->told && m->kind->plan == NULL && strcmp(now, "completed") != 0)
        fail_msg("%s: its completion was answered, and it is %s", m->id, now);
    json_decref(process);
    if (!m->told || m->kind->tail == NULL || strcmp(m->kind->tail, "/signals") != 0)
        return;
    json_t *journal = api_journal(y, m->id);
    if (api_records(journal, "signal", "go") != 1)
        fail_msg("%s: its signal was answered, and is there %zu times", m->id, api_records(journal, "signal", "go"));
    json_decref(journal);
}

static audit look_into(const yard *y, const crowd *c, bool at_the_end)
{
    static const char *ids[MEMBERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].started) {
            check_answered(y, &c->members[i]);
            if (c->members[i].kind->plan != NULL)
                ids[count++] = c->members[i].id;
        }
    audit a = audit_quietly(y, ids, count, at_the_end);
    if (a.trouble[0] != '\0')
        fail_msg("%s", a.trouble);
    return a;
}

static void check_ends(const yard *y, const crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        api_expect_end(y, c->members[i].id, c->members[i].kind->end);
}

static void test_V01_I1_I5_I7_kills_at_random_moments_into_requests_and_work(void **state)
{
    static crowd c;
    yard *y = *state;
    unsigned seed = wanted.seed;
    c = (crowd){.count = wanted.members};
    print_message("seed %u: %zu processes, %u kills (PAWL_SEED=%u repeats it)\n", seed, c.count, wanted.kills, seed);
    for (size_t i = 0; i < c.count; i++) {
        snprintf(c.members[i].id, sizeof c.members[i].id, "k%05zu", i);
        c.members[i].kind = &kinds[next(&seed) % KINDS];
    }
    for (unsigned kill = 1; kill <= wanted.kills; kill++) {
        talk_until_killed(y, &c, &seed);
        YARD_SERVE(y, "--no-worker"); /* nothing moves while it is looked at */
        audit a = look_into(y, &c, false);
        yard_kill(y);
        if (kill % 10 == 0 || kill == wanted.kills)
            print_message("%u kills: %zu requests answered, %zu steps recorded, %zu executed (%zu again)\n", kill,
                          c.answered, a.steps, a.executions, a.repeated);
    }
    YARD_SERVE(y, NULL);
    talk(y, &c, 3 * c.count, &seed);
    api_await_ended(y, (json_int_t)c.count);
    audit a = look_into(y, &c, true);
    check_ends(y, &c);
    print_message("%zu steps recorded, %zu executed (%zu again), %zu asked, %zu in doubt\n", a.steps, a.executions,
                  a.repeated, a.asked, a.in_doubt);
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const char *given = getenv("PAWL_SEED");
    bool long_one = argc > 1 && strcmp(argv[1], "--long") == 0;
    wanted.members = long_one ? MEMBERS_MAX : 120;
    wanted.kills = long_one ? 120 : 10;
    wanted.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_V01_I1_I5_I7_kills_at_random_moments_into_requests_and_work, open_yard,
                                        close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
