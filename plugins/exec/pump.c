/* pump.c: see pump.h. */
#include "plugins/exec/pump.h"

#include "plugins/connector/sigpipe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define CHUNK          ((size_t)64 * 1024)
#define LOOK_AGAIN_MS  20   /* where something cannot be polled for */
#define LONGEST_NAP_MS 1000 /* the host's clock may be set by a test: look at it now and then */

typedef struct pump {
    pawl_connector_call *call;
    pawl_exec_child *child;
    pawl_connector_source *input;
    uint64_t sent;      /* bytes of the input taken from its source */
    size_t held, given; /* of chunk: in it, and written */
    char *chunk;        /* for the input */
    char *scratch;      /* for the outputs */
    pawl_connector_body *output, *errors;
    pawl_exec_end end;   /* why it is being ended; PAWL_EXEC_ENDED while it is not */
    uint64_t kill_at_ns; /* when ending: the time of SIGKILL; 0: sent */
} pump;

/* The real clock: how long a child may take to end is no matter of the host's idea of time. */
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void stop(pump *p, pawl_exec_end end)
{
    if (p->end != PAWL_EXEC_ENDED)
        return;
    p->end = end;
    bool at_once = end == PAWL_EXEC_OUTPUT_LIMIT || end == PAWL_EXEC_BROKEN;
    p->kill_at_ns = at_once ? 0 : now_ns() + PAWL_EXEC_KILL_AFTER_NS;
    pawl_exec_child_signal(p->child, at_once ? SIGKILL : SIGTERM);
}

static void look_at_limits(pump *p)
{
    if (p->end == PAWL_EXEC_ENDED && pawl_call_cancelled(p->call->core, p->call->abi))
        stop(p, PAWL_EXEC_CANCELLED);
    if (p->end == PAWL_EXEC_ENDED && pawl_call_time_left_ns(p->call->core, p->call->abi) == 0)
        stop(p, PAWL_EXEC_DEADLINE);
    if (p->kill_at_ns != 0 && now_ns() >= p->kill_at_ns) {
        p->kill_at_ns = 0;
        pawl_exec_child_signal(p->child, SIGKILL);
    }
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Read what there is. A stream being ended is read and dropped, so that nobody waits on a full pipe. */
static void take(pump *p, int *fd, pawl_connector_body *body)
{
    ssize_t got = read(*fd, p->scratch, CHUNK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close_end(fd);
        return;
    }
    if (p->end != PAWL_EXEC_ENDED)
        return;
    pawl_status status = pawl_connector_body_write(body, p->scratch, (size_t)got);
    if (status != PAWL_OK)
        stop(p, body->over ? PAWL_EXEC_OUTPUT_LIMIT : PAWL_EXEC_BROKEN);
}

static void give(pump *p)
{
    if (p->given == p->held) {
        if (p->sent == p->input->size) {
            close_end(&p->child->input);
            return;
        }
        if (pawl_connector_source_read(p->input, p->sent, p->chunk, CHUNK, &p->held) != PAWL_OK) {
            p->held = p->given = 0;
            stop(p, PAWL_EXEC_BROKEN);
            return;
        }
        p->sent += p->held;
        p->given = 0;
    }
    ssize_t done = write(p->child->input, p->chunk + p->given, p->held - p->given);
    if (done >= 0)
        p->given += (size_t)done;
    else if (errno != EAGAIN && errno != EINTR)
        close_end(&p->child->input); /* EPIPE: it does not want the rest, which is its own affair */
}

static int nap_ms(const pump *p, bool cancel_polled)
{
    uint64_t nap = LONGEST_NAP_MS;
    if (p->child->exited < 0 || (p->call->abi->cancel != NULL && !cancel_polled && p->end == PAWL_EXEC_ENDED))
        nap = LOOK_AGAIN_MS;
    uint64_t now = now_ns(), until = UINT64_MAX;
    if (p->kill_at_ns != 0)
        until = p->kill_at_ns > now ? p->kill_at_ns - now : 0;
    else if (p->end == PAWL_EXEC_ENDED)
        until = pawl_call_time_left_ns(p->call->core, p->call->abi);
    uint64_t left_ms = until / 1000000u + (until % 1000000u != 0 ? 1u : 0u);
    return (int)(left_ms < nap ? left_ms : nap);
}

static void wait_and_move(pump *p)
{
    pawl_exec_child *child = p->child;
    int cancel = p->call->abi->cancel == NULL ? -1 : p->call->core->cancel_fd(p->call->abi->cancel);
    bool running = p->end == PAWL_EXEC_ENDED;
    struct pollfd fds[] = {{child->output, POLLIN, 0},
                           {child->errors, POLLIN, 0},
                           {running ? child->input : -1, POLLOUT, 0},
                           {child->exited, POLLIN, 0},
                           {running ? cancel : -1, POLLIN, 0}};
    if (poll(fds, PAWL_CONNECTOR_COUNT(fds), nap_ms(p, cancel >= 0)) <= 0)
        return;
    if (fds[0].revents != 0)
        take(p, &child->output, p->output);
    if (fds[1].revents != 0)
        take(p, &child->errors, p->errors);
    if (fds[2].revents != 0 && p->end == PAWL_EXEC_ENDED)
        give(p);
}

/* What the child wrote before it ended is still in the pipes. Members of the group that outlived it are killed first;
 * one that left the group may hold a pipe open, so the end of the pipe is not waited for. */
static void take_the_rest(pump *p)
{
    pawl_exec_child *child = p->child;
    (void)kill(-child->pid, SIGKILL);
    struct pollfd fds[2];
    do {
        fds[0] = (struct pollfd){child->output, POLLIN, 0};
        fds[1] = (struct pollfd){child->errors, POLLIN, 0};
        if (poll(fds, 2, 0) <= 0)
            return;
        if (fds[0].revents != 0)
            take(p, &child->output, p->output);
        if (fds[1].revents != 0)
            take(p, &child->errors, p->errors);
    } while (p->end == PAWL_EXEC_ENDED && (child->output >= 0 || child->errors >= 0));
}

pawl_exec_end pawl_exec_pump(pawl_connector_call *call, pawl_exec_child *child, pawl_connector_source *input,
                             pawl_connector_body *output, pawl_connector_body *errors)
{
    pump p = {.call = call, .child = child, .input = input, .output = output, .errors = errors};
    p.chunk = malloc(2 * CHUNK);
    if (p.chunk == NULL) {
        pawl_connector_call_fail_as(call, PAWL_E_NOMEM, PAWL_UNKNOWN_OUTCOME, "no_memory",
                                    "out of memory after the start");
        pawl_exec_child_signal(child, SIGKILL);
        return PAWL_EXEC_BROKEN;
    }
    p.scratch = p.chunk + CHUNK;
    pawl_connector_sigpipe held;
    pawl_connector_sigpipe_hold(&held);
    while (!pawl_exec_child_has_ended(child)) {
        look_at_limits(&p);
        wait_and_move(&p);
    }
    if (p.end == PAWL_EXEC_ENDED)
        take_the_rest(&p);
    pawl_connector_sigpipe_release(&held);
    free(p.chunk);
    return p.end;
}
