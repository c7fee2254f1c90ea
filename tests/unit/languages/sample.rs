//! sample.rs: the plugin of sample.cpp in Rust, as its author would write one, and programs that do what they should not.
use pawl::{Call, CallOptions, Completion, Connector, Effect, Ended, Failure, Process, ProcessType, Setup, Stop};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

static ALIVE: AtomicI32 = AtomicI32::new(0); // of the objects below; an effect tells it

struct Counted {
    _memory: Vec<u8>,
}

impl Counted {
    fn new() -> Counted {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Counted { _memory: vec![b'x'; 1000] }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn checkout(p: &Process) -> Ended {
    let _object = Counted::new();
    let hold = p.call("stock.reserve", p.input())?;
    p.on_rollback("stock.release", hold)?;
    let options = CallOptions { attempts: 3, timeout: Duration::from_secs(5), deadline: Duration::from_secs(60) };
    let pay = p.start_call_with("bank.charge", hold, options);
    let late = p.start_timer(Duration::from_secs(30));
    if p.wait_any(&[pay, late])? == 1 {
        return Err(Failure::terminal("checkout.timeout", "the bank did not answer in 30 s").into());
    }
    Ok(p.result(pay)?.to_vec())
}

fn mends(p: &Process) -> Ended {
    let _object = Counted::new();
    match p.call("try", p.input()) {
        Err(Stop::Failed(first)) => {
            p.call("undo", first.code.as_bytes())?;
            p.sleep(Duration::from_secs(1))?;
            Err(first.into())
        }
        Err(other) => Err(other),
        Ok(_) => Ok(b"not needed".to_vec()),
    }
}

fn swallows(p: &Process) -> Ended {
    for _ in 0..3 {
        let _ = p.call("one", b""); // no program should; this one must not get further by it
    }
    Ok(b"swallowed".to_vec())
}

fn stops(p: &Process) -> Ended {
    match p.signal("never") {
        Err(Stop::Cancelled) => {
            p.call("undo", p.cancel_reason())?;
            Err(Stop::Cancelled)
        }
        other => Ok(other?.to_vec()),
    }
}

fn panics(p: &Process) -> Ended {
    p.call("one", b"")?;
    panic!("a plain exception");
}

fn panics_with_a_number(_p: &Process) -> Ended {
    std::panic::panic_any(7);
}

fn goes_on(p: &Process) -> Ended {
    let mut input = p.input().to_vec();
    input.push(b'+');
    let _ = p.continue_as_new(&input);
    Ok(b"after the end".to_vec())
}

fn waits(p: &Process) -> Ended {
    let in_time = p.signal_within("go", Duration::from_secs(2))?;
    let asked = p.next_update("ask")?;
    if asked.payload == b"no" {
        p.reject(asked, &Failure::terminal("waits.no", "as asked"))?;
    } else {
        p.reply(asked, in_time.unwrap_or(b"none"))?;
    }
    p.wait_all(&[p.start_call("a", b"1"), p.start_call("b", b"2")])?;
    p.set_status(b"{\"step\":\"end\"}")?;
    let right = p.uuid().len() == 36 && p.version("change", 0, 1) == 1;
    Ok(if right { b"waited".to_vec() } else { Vec::new() })
}

fn wakes(p: &Process) -> Ended {
    p.sleep_until(Duration::from_secs(1))?;
    p.sleep_until(Duration::ZERO)?;
    Ok(b"woken".to_vec())
}

fn family(p: &Process) -> Ended {
    Ok(p.child("shop.checkout", b"cart")?.to_vec())
}

fn echo(call: &Call) -> Result<Vec<u8>, Failure> {
    match text(call.input()) {
        "later" => {
            Err(Failure::retryable("echo.later", "not now").after(Duration::from_secs(3)).with_detail("{\"why\":1}"))
        }
        "throw" => panic!("a plain exception"),
        "number" => std::panic::panic_any(7),
        input => Ok(format!(
            "{{\"echo\":{},\"key\":{}}}",
            pawl::json_string(input),
            pawl::json_string(text(call.idempotency_key()))
        )
        .into_bytes()),
    }
}

fn was_echoed(call: &Call) -> Result<Option<Vec<u8>>, Failure> {
    match call.input() {
        b"throw" => Err(Failure::unknown_outcome("echo.unknown", "nobody knows")),
        b"yes" => Ok(Some(b"it was".to_vec())),
        _ => Ok(None),
    }
}

fn answers(done: Completion) {
    let input = text(done.call().input()).to_string();
    match input.as_str() {
        "refuse" => done.fail(&Failure::terminal("answer.refused", "not begun")),
        "forget" => (),
        "drop" => panic!("after it was taken over"),
        _ => {
            let thread = std::thread::spawn(move || match input.as_str() {
                "fail" => done.fail(&Failure::terminal("answer.no", "no")),
                _ => done.complete(input.as_bytes()),
            });
            thread.join().expect("it does not panic");
        }
    }
}

fn count_alive(_call: &Call) -> Result<Vec<u8>, Failure> {
    Ok(ALIVE.load(Ordering::Relaxed).to_string().into_bytes())
}

struct Counter {
    name: String,
    count: AtomicI32,
    _object: Counted,
}

impl Connector for Counter {
    fn create(setup: &Setup) -> Result<Counter, Failure> {
        if setup.config_json != b"{}" {
            return Err(Failure::terminal("counter.config", "wanted an empty object"));
        }
        Ok(Counter { name: text(setup.name).to_string(), count: AtomicI32::new(0), _object: Counted::new() })
    }
    fn invoke(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        if call.operation() != b"next" {
            return Err(Failure::terminal("counter.operation", "wanted the operation next"));
        }
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(format!("{} {}", self.name, count).into_bytes())
    }
}

fn begin(config_json: &[u8]) -> Result<(), Failure> {
    if config_json == b"bad" {
        return Err(Failure::terminal("sample.config", "this cannot be used"));
    }
    Ok(())
}

const fn program(name: &'static str, program: fn(&Process) -> Ended) -> ProcessType {
    ProcessType { name, revision: 1, program }
}

pawl::plugin! {
    manifest: include_str!("sample.json"),
    vendor: "Example",
    init: begin,
    processes: [
        program("checkout", checkout),
        program("mends", mends),
        program("swallows", swallows),
        program("stops", stops),
        program("throws", panics),
        program("number", panics_with_a_number),
        program("goes-on", goes_on),
        program("waits", waits),
        program("wakes", wakes),
        program("family", family),
    ],
    effects: [
        Effect::new("echo", echo).reconcile(was_echoed),
        Effect::later("answer", answers),
        Effect::new("alive", count_alive),
    ],
    connector: Counter,
}
