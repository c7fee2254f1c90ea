/* circuit.h: a circuit breaker: stops calling what fails or is slow, and finds out with a few calls whether it is well
 * again. Owns its window of outcomes and no lock: its owner has one. Reads no clock; makes no decision but at a call's
 * beginning and end.
 *
 *            enough of the window failed, or was slow
 *   CLOSED ---------------------------------------------> OPEN
 *     ^  ^                                                 |
 *     |  |                              open_ns have passed, and a call asks
 *     |  |                                                 v
 *     |  +------- all probes ended, few enough failed -- HALF_OPEN
 *     |                                                    |
 *     |            OPEN <--- all probes ended, too many failed or were slow
 *
 * No other transition exists. Outcomes of calls that began before the last transition are not counted. Never: lets
 * more than `probes` calls through while half open. */
#ifndef PAWL_CIRCUIT_H
#define PAWL_CIRCUIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAWL_CIRCUIT_SLICES 10u /* a window of time moves on by a tenth of it */

typedef enum pawl_circuit_state {
    PAWL_CIRCUIT_CLOSED = 0,
    PAWL_CIRCUIT_OPEN = 1,
    PAWL_CIRCUIT_HALF_OPEN = 2
} pawl_circuit_state;

typedef struct pawl_circuit_config {
    uint32_t window;       /* the last so many calls are judged; at least 1 */
    uint64_t window_ns;    /* not 0: those of this span instead */
    uint32_t calls_min;    /* fewer are not judged (never more than window is wanted) */
    double failure_rate;   /* this part of them failed: it opens; 0: not judged by it */
    double slow_rate;      /* this part of them was slow: it opens; 0: not judged by it */
    uint64_t slow_call_ns; /* this long, or longer, is slow */
    uint64_t open_ns;
    uint32_t probes;      /* calls let through while half open; at least 1 */
    bool terminal_fails;  /* a TERMINAL failure counts as one; else the other side is well, and said no */
    bool fails_when_open; /* calls fail at once while it is open; else they wait */
} pawl_circuit_config;

typedef struct pawl_circuit_slice {
    uint64_t index; /* of the span, since the clock began */
    uint32_t calls, failed, slow;
} pawl_circuit_slice;

typedef struct pawl_circuit {
    pawl_circuit_config config;
    pawl_circuit_state state;
    uint64_t generation;    /* of transitions: a permit of an older one counts no more */
    uint64_t until_mono_ns; /* OPEN: when probes may begin */
    uint32_t probing;       /* HALF_OPEN: let through, of which so many have not ended */
    uint32_t let_through;
    uint32_t calls, failed, slow;                   /* in the window; of the probes while half open */
    uint32_t shown_calls, shown_failed, shown_slow; /* why it opened last */
    uint8_t *ring;                                  /* the last outcomes, when the window is one of calls */
    uint32_t at;
    pawl_circuit_slice slices[PAWL_CIRCUIT_SLICES];
    uint64_t transitions[3]; /* into each state */
} pawl_circuit;

/** False: out of memory. Closed, and nothing is known. */
bool pawl_circuit_init(pawl_circuit *circuit, const pawl_circuit_config *config);
void pawl_circuit_finish(pawl_circuit *circuit);

/** May a call begin? True: *ret_permit belongs to it until its end. False: *ret_wait_ns is the span after which asking
 * again makes sense; 0 when probes are under way and their end will tell. */
bool pawl_circuit_ask(pawl_circuit *circuit, uint64_t now_mono_ns, uint64_t *ret_permit, uint64_t *ret_wait_ns);
/** The call ended. True: the state changed. */
bool pawl_circuit_ended(pawl_circuit *circuit, uint64_t now_mono_ns, uint64_t permit, bool failed,
                        uint64_t duration_ns);
/** It was not begun after all, or ended in a way that says nothing about the other side. */
void pawl_circuit_give_back(pawl_circuit *circuit, uint64_t permit);

/** "closed", "open", "half_open". */
const char *pawl_circuit_state_name(pawl_circuit_state state);
/** "6 of 10 calls failed" or "7 of 10 calls were slow": why it opened last. */
void pawl_circuit_explain(const pawl_circuit *circuit, char *text, size_t room);

#endif
