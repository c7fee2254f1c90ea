/* checkout_plugin.c: a whole process plugin, as its author would write it; also compiled as C++. */
#include <pawl_process.h>

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"com.example.shop\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"     \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"shop.checkout\",\"revision\":3,\"input_schema\":true}]}"

static pawl_status checkout(pawl_process *p)
{
    pawl_bytes hold, receipt;
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_input(p), &hold));
    pawl_future pay = pawl_start_call(p, "bank.charge", hold);
    pawl_future late = pawl_start_timer(p, 30 * PAWL_SECOND);
    int first;
    PAWL_TRY(pawl_await_any(p, &first, 2, pay, late));
    if (first == 1)
        return pawl_fail(p, "checkout.timeout", "the bank did not answer in 30 s");
    PAWL_TRY(pawl_result(p, pay, &receipt));
    return pawl_complete(p, receipt);
}

PAWL_PROCESS("shop.checkout", 3, checkout)
PAWL_PLUGIN("com.example.shop", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
