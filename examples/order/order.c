/* order.c: an order that can be found by who ordered it and for how much, and says how far it is. The profile must have
 * the search attributes customer (keyword), amount (integer) and sent (boolean). */
#include <pawl_plugin.h>
#include <pawl_process.h>

/* The input is {"customer": "ann", "amount": 12}: just what the order is to be found by. */
static pawl_status order(pawl_process *p)
{
    pawl_bytes parcel;
    PAWL_TRY(pawl_set_attributes(p, pawl_input(p)));
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"step\":\"packing\"}")));
    PAWL_TRY(pawl_signal(p, "packed", &parcel));
    PAWL_TRY(pawl_set_attributes(p, pawl_text("{\"sent\":true}")));
    PAWL_TRY(pawl_set_status(
        p, pawl_printf(p, "{\"step\":\"sent\",\"parcel\":%.*s}", (int)parcel.size, (const char *)parcel.data)));
    PAWL_TRY(pawl_signal(p, "delivered", NULL));
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"step\":\"delivered\"}")));
    return pawl_complete(p, parcel);
}

PAWL_PROCESSES(PAWL_TYPE("shop.order", 1, order))
PAWL_PLUGIN("com.example.order", "1.0.0", "Example",
            "{\"manifest_version\":1, \"id\":\"com.example.order\", \"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0}, \"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"shop.order\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
