//! saga.rs: the trip of saga.c in Rust: three bookings that happen as a whole or not at all. It issues the same
//! commands, so it lives the same journals.
use pawl::{json_string, Call, Effect, Ended, Failure, Process, ProcessType};

// The bookings, as an outside system would make them: by key, so that a repeated attempt is the same booking.
fn book(call: &Call) -> Result<Vec<u8>, Failure> {
    let (operation, input) = (String::from_utf8_lossy(call.operation()), String::from_utf8_lossy(call.input()));
    if operation == "trip.hotel" && input.contains("full") {
        return Err(Failure::terminal("hotel.full", "the hotel has no room left"));
    }
    let key = String::from_utf8_lossy(call.idempotency_key());
    Ok(json_string(&format!("{} {}", operation, key)).into_bytes())
}

fn trip(p: &Process) -> Ended {
    // One after another: what undoes a step is registered right behind it, and is on disk before the next one begins.
    let train = p.call("trip.train", p.input())?;
    p.on_rollback("trip.cancel-train", train)?;

    // A car came into this program later; trips that were under way then go on without one.
    let mut car: &[u8] = b"null";
    if p.version("with-a-car", 0, 1) >= 1 {
        car = p.call("trip.car", p.input())?;
        p.on_rollback("trip.cancel-car", car)?;
    }

    // At once with something else: undone only if it happens.
    let room = p.start_call("trip.hotel", p.input());
    p.on_rollback_of(room, "trip.cancel-hotel", p.input())?;
    p.wait_for(room)?;
    let hotel = p.result(room)?; // no room: the trip fails, and car and train are given back

    let parts: [&[u8]; 7] = [b"{\"train\":", train, b",\"car\":", car, b",\"hotel\":", hotel, b"}"];
    Ok(parts.concat())
}

pawl::plugin! {
    manifest: include_str!("saga.json"),
    vendor: "Example",
    processes: [ProcessType { name: "trip.book", revision: 1, program: trip }],
    effects: [
        Effect::new("trip.train", book),
        Effect::new("trip.car", book),
        Effect::new("trip.hotel", book),
        Effect::new("trip.cancel-train", book),
        Effect::new("trip.cancel-car", book),
        Effect::new("trip.cancel-hotel", book),
    ],
}
