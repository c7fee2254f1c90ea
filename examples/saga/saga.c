/* saga.c: a trip of three bookings that happens as a whole or not at all. Each step says how it is undone; should a
 * later one fail, or somebody cancel the trip, Pawl undoes what was done, last step first, whatever crashes meanwhile.
 */
#include <pawl_plugin.h>
#include <pawl_process.h>

/* The bookings, as an outside system would make them: by key, so that a repeated attempt is the same booking. An input
 * that holds the word "full" is refused. */
static pawl_status book(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const char *text = (const char *)call->input.data;
    for (size_t i = 0; i + 4 <= call->input.size; i++)
        if (pawl_is(call->operation, "trip.hotel") && memcmp(text + i, "full", 4) == 0)
            return pawl_fail_with(core, why, PAWL_TERMINAL, "hotel.full", "the hotel has no room left");
    return pawl_writef(core, out, "\"%.*s %.*s\"", (int)call->operation.size, (const char *)call->operation.data,
                       (int)call->idempotency_key.size, (const char *)call->idempotency_key.data);
}

static pawl_status trip(pawl_process *p)
{
    pawl_bytes where = pawl_input(p), train, car, hotel;

    /* One after another: what undoes a step is registered right behind it, and is on disk before the next one begins.
     */
    PAWL_TRY(pawl_call(p, "trip.train", where, &train));
    PAWL_TRY(pawl_on_rollback(p, "trip.cancel-train", train));

    /* A car came into this program later; trips that were under way then go on without one. */
    car = pawl_text("null");
    if (pawl_version(p, "with-a-car", 0, 1) >= 1) {
        PAWL_TRY(pawl_call(p, "trip.car", where, &car));
        PAWL_TRY(pawl_on_rollback(p, "trip.cancel-car", car));
    }

    /* At once with something else: undone only if it happens. */
    pawl_future room = pawl_start_call(p, "trip.hotel", where);
    PAWL_TRY(pawl_on_rollback_of(p, room, "trip.cancel-hotel", where));
    PAWL_TRY(pawl_await(p, room));
    PAWL_TRY(pawl_result(p, room, &hotel)); /* no room: the trip fails, and car and train are given back */

    return pawl_complete(p, pawl_printf(p, "{\"train\":%.*s,\"car\":%.*s,\"hotel\":%.*s}", (int)train.size,
                                        (const char *)train.data, (int)car.size, (const char *)car.data,
                                        (int)hotel.size, (const char *)hotel.data));
}

PAWL_EFFECT_TABLE(effects, book, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("trip.book", 1, trip))

static const void *get_factory(const char *id)
{
    return strcmp(id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(id);
}

#define EFFECT(name) "{\"name\":\"trip." name "\",\"runs\":\"pool\",\"outcome\":\"by_key\"}"
PAWL_PLUGIN("com.example.trip", "1.0.0", "Example",
            "{\"manifest_version\":1,\"id\":\"com.example.trip\",\"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"effect\",\"process\"],"
            "\"effects\":[" EFFECT("train") "," EFFECT("car") "," EFFECT("hotel") "," EFFECT("cancel-train") "," EFFECT(
                "cancel-car") "," EFFECT("cancel-hotel") "],"
                                                         "\"processes\":[{\"name\":\"trip.book\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, get_factory);
