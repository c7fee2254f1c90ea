/* process_trusting.c: it takes a result without asking whether there is one. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    pawl_bytes value = {NULL, 0};
    pawl_future call = pawl_start_call(p, "other.effect", pawl_text("{}"));
    PAWL_TRY(pawl_await(p, call));
    pawl_result(p, call, &value);
    const volatile char *text = value.data;
    return text[0] == '{' ? pawl_complete(p, value) : pawl_fail(p, "trusting.odd", "what is this?");
}
PROGRAM;
