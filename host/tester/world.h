/* world.h: what world.c and calls.c share: what a process under test has begun outside, and what is in flight. Nobody
 * else includes it. */
#ifndef PAWL_TESTER_WORLD_H
#define PAWL_TESTER_WORLD_H

#include "machine.h"

struct pawl_issue {
    uint32_t run, nth;
    uint64_t ordinal;
    pawl_bytes name; /* of the effect, or type of the child */
    bool child, detached;
    uint32_t parent_close;
    pawl_bytes id, input; /* of a child */
};

struct pawl_flight_in {
    uint32_t kind; /* PAWL_HAPPENS_CALL or _CHILD */
    uint32_t run, attempt, nth;
    uint64_t ordinal;
    uint64_t due_unix_ns; /* of its end */
    bool begun, stopped;
    bool state;                       /* the state of the session answers it, when it ends */
    const pawl_script_answer *answer; /* NULL: null */
};

/** The call or child of this ordinal, among those of its effect or type; noted when it is new. NULL: out of memory. */
pawl_issue *pawl_world_issue(pawl_machine *m, uint64_t ordinal, pawl_bytes name, bool child);
pawl_flight_in *pawl_world_flight(const pawl_machine *m, uint64_t ordinal, uint32_t kind); /* NULL: not in flight */
pawl_flight_in *pawl_world_take_off(pawl_machine *m, const pawl_flight_in *flight);        /* NULL: out of memory */
void pawl_world_land(pawl_machine *m, pawl_flight_in *flight);
/** What the script says to this attempt, unless it is to fail. NULL: nothing. */
const pawl_script_answer *pawl_world_answer(const pawl_machine *m, const pawl_script_effect *effect,
                                            const pawl_issue *issue, pawl_bytes input, uint32_t attempt);
/** The test cannot go on: the script does not answer this. */
void pawl_world_refuse(pawl_machine *m, const char *what, const char *section, pawl_bytes name, uint32_t nth,
                       pawl_bytes input);

/** Begin an attempt of an open call, or end the call where that is already settled. */
void pawl_tester_call_begin(pawl_machine *m, pawl_open_call *open);
/** The attempt in flight ends. */
void pawl_tester_call_end(pawl_machine *m, uint64_t ordinal);
pawl_entry pawl_tester_call_entry(const pawl_open_call *open, uint32_t kind, uint32_t attempt);
void pawl_tester_call_record_failure(pawl_machine *m, const pawl_open_call *open, uint32_t attempt,
                                     const pawl_failure *failure);
pawl_failure pawl_tester_call_failure(uint32_t klass, const char *code, const char *message);

#endif
