//! @NAME@.rs: the effect @NAME@.stamp, which gives its input back with the key of the call.
use pawl::{json_string, Call, Effect, Failure};

// A panic ends at the edge of the plugin, as a failure of which nobody knows what it left behind.
fn stamp(call: &Call) -> Result<Vec<u8>, Failure> {
    if call.should_stop() {
        // what takes long looks here now and then
        return Err(Failure::retryable("@NAME@.stopped", "asked to stop before anything was done"));
    }
    // {} is nothing
    if call.input().len() <= 2 {
        return Err(Failure::terminal("@NAME@.nothing", "there is nothing to stamp"));
    }
    let input = String::from_utf8_lossy(call.input());
    let key = String::from_utf8_lossy(call.idempotency_key());
    Ok(format!("{{\"stamped\":{},\"key\":{}}}", input, json_string(&key)).into_bytes())
}

pawl::plugin! {
    manifest: include_str!("../manifest.json"),
    vendor: "@VENDOR@",
    effects: [Effect::new("@NAME@.stamp", stamp)],
}
