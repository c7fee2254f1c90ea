//! @NAME@.rs: a connector whose instances greet, each in its own way.
use pawl::{json_string, Call, Connector, Failure, Json, Setup};

/// The one text of an object that may hold nothing else.
fn only_text(json: &[u8], key: &str, code: &str) -> Result<String, Failure> {
    let wrong = |what: String| Failure::terminal(code, format!("{}; wanted {{\"{}\": text}}", what, key));
    let whole = Json::read(json).map_err(wrong)?;
    if let Some(unknown) = whole.unknown_key(&[key]) {
        return Err(wrong(format!("unknown key {}", unknown)));
    }
    match whole.get(key).and_then(Json::text) {
        Some(text) => Ok(text.to_string()),
        None => Err(wrong(format!("there is no text {}", key))),
    }
}

struct Greeter {
    greeting: String, // several calls at once read it: the manifest says "shared"
}

impl Connector for Greeter {
    fn create(setup: &Setup) -> Result<Greeter, Failure> {
        Ok(Greeter { greeting: only_text(setup.config_json, "greeting", "@NAME@.config")? })
    }
    fn invoke(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        if call.operation() != b"greet" {
            return Err(Failure::terminal("@NAME@.operation", "wanted the operation greet"));
        }
        let name = only_text(call.input(), "name", "@NAME@.input")?;
        let text = format!("{}, {}", self.greeting, name);
        Ok(format!("{{\"text\":{}}}", json_string(&text)).into_bytes())
    }
}

pawl::plugin! {
    manifest: include_str!("../manifest.json"),
    vendor: "@VENDOR@",
    connector: Greeter,
}
