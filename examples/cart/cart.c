/* cart.c: a shopping cart that answers requests. Whoever asks gets what the program says, once, also when the worker
 * dies in between; the cart itself is nothing but the program's variables. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <stdlib.h>

#define ROOM 3u

static pawl_status cart(pawl_process *p)
{
    unsigned items = 0;
    long total = 0;
    pawl_future pay = pawl_wait_update(p, "pay");
    for (;;) {
        pawl_bytes price;
        int first;
        pawl_future add = pawl_wait_update(p, "add-item");
        PAWL_TRY(pawl_await_any(p, &first, 2, add, pay));
        if (first == 1)
            break;
        PAWL_TRY(pawl_result(p, add, &price));
        long cents = strtol(pawl_cstring(p, price), NULL, 10);
        if (cents <= 0 || items == ROOM) { /* judged first: nothing has been done that would have to be undone */
            PAWL_TRY(items == ROOM ? pawl_reject(p, add, "cart.full", "no more room")
                                   : pawl_reject(p, add, "cart.price", "wanted a price in cents"));
            continue;
        }
        items++;
        total += cents;
        PAWL_TRY(pawl_reply(p, add, pawl_printf(p, "{\"items\":%u,\"total\":%ld}", items, total)));
    }
    PAWL_TRY(pawl_reply(p, pay, pawl_printf(p, "{\"paid\":%ld}", total)));
    return pawl_complete(p, pawl_printf(p, "{\"items\":%u,\"total\":%ld}", items, total));
}

PAWL_PROCESSES(PAWL_TYPE("shop.cart", 1, cart))
PAWL_PLUGIN("com.example.cart", "1.0.0", "Example",
            "{\"manifest_version\":1, \"id\":\"com.example.cart\", \"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0}, \"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"shop.cart\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
