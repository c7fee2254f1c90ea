/* fake_tester.c: `pawl test` in front of a fake host: there is nothing that could test a plugin. */
#include "host/tester/tester.h"
#include "worker/base/error.h"

pawl_status pawl_tester_run(const pawl_tester_request *request, pawl_text *ret_json, pawl_error *error)
{
    (void)ret_json;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "fake", "the fake host tests nothing, not even %s",
                          request->plugin);
}
