/* soak_trouble.c: kills, stops and a full disk. A thread of its own sends the signal, so that it falls into whatever
 * the client is asking at that moment; the main thread alone starts and waits for the server. */
#include "soak.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* One signal to come, to the server that runs now. The thread is joined before that server is waited for, so that its
 * number still means it. */
static struct {
    pthread_t thread;
    bool due;
    pid_t server;
    unsigned after_ms;
    int signal;
    bool kill_soon_after; /* the kill falls into the stop */
} blow;

static void *deal(void *context)
{
    (void)context;
    let_pass_ms(blow.after_ms);
    kill(blow.server, blow.signal);
    if (blow.kill_soon_after) {
        let_pass_ms(30);
        kill(blow.server, SIGKILL);
    }
    return NULL;
}

static void disk_of(soak *s, bool full)
{
    yard_write(s->y, "disk", full ? "budget 0\n" : "\n");
    s->numbers.spells += full && !s->spell;
    s->spell = full;
}

static bool try_serve(soak *s)
{
    char path[256];
    yard_path(s->y, "data/store", path);
    setenv("FULL_DISK_STORE", path, 1);
    yard_path(s->y, "disk", path);
    setenv("FULL_DISK_CONTROL", path, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1); /* heard by a build with it alone */
    setenv("LD_PRELOAD", FULL_DISK_LIBRARY, 1);
    bool served = yard_try_serve(s->y);
    unsetenv("LD_PRELOAD");
    s->numbers.lives += served;
    return served;
}

void soak_serve(soak *s)
{
    if (try_serve(s))
        return;
    bool was_full = s->spell; /* it may refuse to open on a full disk, and on no other */
    disk_of(s, false);
    if (!was_full || !try_serve(s))
        yard_serve(s->y, NULL); /* fails with what it says */
}

void soak_plan_trouble(soak *s)
{
    if (blow.due)
        return;
    unsigned kind = soak_random(s, 10);
    blow.server = s->y->server;
    blow.after_ms = kind == 0 ? soak_random(s, 20) : 300 + soak_random(s, 6000);
    blow.signal = kind < 7 ? SIGKILL : SIGTERM;
    blow.kill_soon_after = kind == 7;
    s->numbers.kills += blow.signal == SIGKILL || blow.kill_soon_after;
    s->numbers.stops += blow.signal == SIGTERM;
    blow.due = pthread_create(&blow.thread, NULL, deal, NULL) == 0;
    assert_true(blow.due);
}

static bool has_ended(const soak *s)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)s->y->server, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

/* The server has ended, or is ending since it was told to. */
static void bury(soak *s)
{
    bool planned = blow.due;
    int signal = blow.signal;
    if (blow.due)
        pthread_join(blow.thread, NULL);
    blow.due = false;
    int ended = yard_end(s->y);
    bool right = planned && (ended == -SIGKILL || (ended == 0 && signal == SIGTERM));
    if (!right)
        fail_msg("pawl serve ended with %d, though nobody told it to (%s)", ended, s->y->directory);
}

void soak_keep_alive(soak *s)
{
    double now = seconds_now();
    if (!s->spell && soak_random(s, 400) == 0) {
        disk_of(s, true);
        s->spell_until = now + 0.2 + soak_random(s, 2500) / 1000.0;
    } else if (s->spell && now > s->spell_until) {
        disk_of(s, false);
    }
    if (has_ended(s)) {
        bury(s);
        soak_serve(s);
    }
}

void soak_calm(soak *s)
{
    disk_of(s, false);
    if (blow.due) {
        bury(s);
        soak_serve(s);
    }
}
