/* process_well.c: one that keeps every rule, for comparison: it waits for all there is to wait for. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    pawl_bytes value;
    char id[37];
    pawl_future both[2];
    int first = 0;
    PAWL_TRY(pawl_call(p, "other.effect", pawl_input(p), &value));
    pawl_uuid(p, id);
    PAWL_TRY(pawl_set_status(p, pawl_printf(p, "{\"id\":\"%s\",\"at\":%llu}", id, (unsigned long long)pawl_now(p))));
    both[0] = pawl_wait_signal(p, "go");
    both[1] = pawl_start_timer(p, PAWL_MINUTE);
    PAWL_TRY(pawl_await_any_of(p, &first, both, 2));
    PAWL_TRY(pawl_child(p, "other.type", value, &value));
    return pawl_complete(p, value);
}
PROGRAM;
