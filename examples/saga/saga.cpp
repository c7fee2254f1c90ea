// saga.cpp: the trip of saga.c in C++: three bookings that happen as a whole or not at all. It issues the same
// commands, so it lives the same journals.
#include <pawl.hpp>

#include "pawl_manifest.h" // made of saga.json

// The bookings, as an outside system would make them: by key, so that a repeated attempt is the same booking.
static std::string book(const pawl::call &call)
{
    if (call.operation() == "trip.hotel" && call.input().find("full") != std::string_view::npos)
        throw pawl::failure("hotel.full", "the hotel has no room left");
    return pawl::json_string(std::string(call.operation()) + " " + std::string(call.idempotency_key()));
}

static std::string trip(pawl::process &p)
{
    // One after another: what undoes a step is registered right behind it, and is on disk before the next one begins.
    std::string_view train = p.call("trip.train", p.input());
    p.on_rollback("trip.cancel-train", train);

    // A car came into this program later; trips that were under way then go on without one.
    std::string_view car = "null";
    if (p.version("with-a-car", 0, 1) >= 1) {
        car = p.call("trip.car", p.input());
        p.on_rollback("trip.cancel-car", car);
    }

    // At once with something else: undone only if it happens.
    pawl::future room = p.start_call("trip.hotel", p.input());
    p.on_rollback_of(room, "trip.cancel-hotel", p.input());
    p.await(room);
    std::string_view hotel = p.result(room); // no room: this throws, the trip fails, and car and train are given back

    std::string booked = "{\"train\":";
    return booked.append(train).append(",\"car\":").append(car).append(",\"hotel\":").append(hotel).append("}");
}

static constexpr pawl::effect effects[] = {{"trip.train", book},      {"trip.car", book},
                                           {"trip.hotel", book},      {"trip.cancel-train", book},
                                           {"trip.cancel-car", book}, {"trip.cancel-hotel", book}};
static constexpr pawl_process_type types[] = {{"trip.book", 1, pawl::program<trip>}};

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "Example", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            (pawl::factories<pawl::effects<effects>, pawl::processes<types>>));
