//! effect.rs: effects and connectors. Must never let a panic out into a frame of the host, and never let a call that was
//! begun be forgotten: whoever holds its Completion ends it, at the latest by dropping it.
use crate::edge::{core_of, guard, lend, view, Failure, Refusal};
use crate::sys;
use std::time::Duration;

/// One attempt of one effect.
pub struct Call<'c> {
    raw: &'c sys::EffectCall,
    core: &'static sys::Core,
}

impl<'c> Call<'c> {
    unsafe fn new(raw: *const sys::EffectCall) -> Option<Call<'c>> {
        let raw = raw.as_ref()?;
        Some(Call { raw, core: core_of(raw.host)? })
    }
    pub fn operation(&self) -> &'c [u8] {
        unsafe { view(self.raw.operation) }
    }
    pub fn input(&self) -> &'c [u8] {
        unsafe { view(self.raw.input) }
    }
    /// The same on every attempt, on every worker.
    pub fn idempotency_key(&self) -> &'c [u8] {
        unsafe { view(self.raw.idempotency_key) }
    }
    pub fn trace_context(&self) -> &'c [u8] {
        unsafe { view(self.raw.trace_context) }
    }
    pub fn attempt(&self) -> u32 {
        self.raw.attempt
    }
    pub fn should_stop(&self) -> bool {
        !self.raw.cancel.is_null() && (self.core.cancel_requested)(self.raw.cancel) != 0
    }
    /// None: there is no deadline.
    pub fn time_left(&self) -> Option<Duration> {
        if self.raw.deadline_mono_ns == 0 {
            return None;
        }
        let now = (self.core.mono_now_ns)(self.raw.host);
        Some(Duration::from_nanos(self.raw.deadline_mono_ns.saturating_sub(now)))
    }
    /// level: 1 debug, 2 info, 3 warn, 4 error.
    pub fn log(&self, level: u32, message: &str, fields_json: &str) {
        (self.core.log)(self.raw.host, level, lend(message.as_bytes()), lend(fields_json.as_bytes()));
    }
    /// For other tables of the host.
    pub fn raw(&self) -> &'c sys::EffectCall {
        self.raw
    }
}

/// The end of an asynchronous call, on any thread. One that is dropped ends as a failure of unknown outcome.
pub struct Completion {
    raw: *mut sys::Completion,
    call: *const sys::EffectCall,
    core: &'static sys::Core,
}

unsafe impl Send for Completion {}

impl Completion {
    /// What is called; it stays there until the end.
    pub fn call(&self) -> Call<'_> {
        Call { raw: unsafe { &*self.call }, core: self.core }
    }
    pub fn complete(self, result: &[u8]) {
        (self.core.complete)(self.raw, sys::OK, lend(result), std::ptr::null());
        std::mem::forget(self);
    }
    pub fn fail(self, why: &Failure) {
        self.end_failed(why);
        std::mem::forget(self);
    }
    fn end_failed(&self, why: &Failure) {
        why.told(|raw| (self.core.complete)(self.raw, sys::E_FAILED, lend(b""), raw));
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.end_failed(&Failure::unknown_outcome("effect.dropped", "the plugin dropped the call without ending it"));
    }
}

type Execute = fn(&Call) -> Result<Vec<u8>, Failure>;
type Reconcile = fn(&Call) -> Result<Option<Vec<u8>>, Failure>;
type Start = fn(Completion);

/// An effect of a plugin: `Effect::new("shop.send", send).reconcile(was_sent)`.
pub struct Effect {
    name: &'static str,
    execute: Option<Execute>,
    reconcile: Option<Reconcile>,
    start: Option<Start>,
}

impl Effect {
    /// For operations that run inline or in the pool.
    pub const fn new(name: &'static str, execute: Execute) -> Effect {
        Effect { name, execute: Some(execute), reconcile: None, start: None }
    }
    /// For operations that run async: start takes the completion over and returns at once.
    pub const fn later(name: &'static str, start: Start) -> Effect {
        Effect { name, execute: None, reconcile: None, start: Some(start) }
    }
    /// After a crash in an unknown place: the result of what happened, None when it certainly did not, Err when that
    /// cannot be told.
    pub const fn reconcile(mut self, reconcile: Reconcile) -> Effect {
        self.reconcile = Some(reconcile);
        self
    }
}

fn write(core: &sys::Core, out: *mut sys::Sink, result: &[u8]) -> sys::Status {
    (core.sink_write)(out, result.as_ptr() as *const _, result.len())
}

fn unsupported<T>(found: Option<T>) -> Result<T, Refusal> {
    found.ok_or(Refusal::Status(sys::E_UNSUPPORTED))
}

fn execute(
    raw: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
    body: impl FnOnce(&Call) -> Result<Vec<u8>, Refusal>,
) -> sys::Status {
    let call = match unsafe { Call::new(raw) } {
        Some(call) => call,
        None => return sys::E_INVALID,
    };
    guard(call.raw.host, why, || Ok(write(call.core, out, &body(&call)?)))
}

fn reconcile(
    raw: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
    body: impl FnOnce(&Call) -> Result<Option<Vec<u8>>, Refusal>,
) -> sys::Status {
    let call = match unsafe { Call::new(raw) } {
        Some(call) => call,
        None => return sys::E_INVALID,
    };
    guard(call.raw.host, why, || {
        Ok(match body(&call)? {
            Some(result) => write(call.core, out, &result),
            None => sys::E_NOT_FOUND,
        })
    })
}

// The completion says how the call ends, whatever becomes of the body: there is no other answer than "pending".
fn start(raw: *const sys::EffectCall, done: *mut sys::Completion, body: impl FnOnce(Completion)) -> sys::Status {
    let call = match unsafe { Call::new(raw) } {
        Some(call) => call,
        None => return sys::E_INVALID,
    };
    let completion = Completion { raw: done, call: raw, core: call.core };
    guard(call.raw.host, std::ptr::null_mut(), || {
        body(completion);
        Ok(sys::PENDING)
    });
    sys::PENDING
}

fn find(list: &'static [Effect], raw: *const sys::EffectCall) -> Option<&'static Effect> {
    let name = unsafe { view(raw.as_ref()?.operation) };
    list.iter().find(|one| one.name.as_bytes() == name)
}

#[doc(hidden)]
pub fn effect_execute(
    list: &'static [Effect],
    raw: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
) -> sys::Status {
    execute(raw, out, why, |call| {
        let body = unsupported(find(list, raw).and_then(|one| one.execute))?;
        Ok(body(call)?)
    })
}

#[doc(hidden)]
pub fn effect_reconcile(
    list: &'static [Effect],
    raw: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
) -> sys::Status {
    reconcile(raw, out, why, |call| {
        let body = unsupported(find(list, raw).and_then(|one| one.reconcile))?;
        Ok(body(call)?)
    })
}

#[doc(hidden)]
pub fn effect_start(list: &'static [Effect], raw: *const sys::EffectCall, done: *mut sys::Completion) -> sys::Status {
    match find(list, raw).and_then(|one| one.start) {
        Some(body) => start(raw, done, body),
        None => sys::E_UNSUPPORTED,
    }
}

/// What an instance of a connector is made of.
pub struct Setup<'s> {
    pub host: *const sys::HostRoot,
    /// As in the profile.
    pub name: &'s [u8],
    /// A JSON object, secrets filled in.
    pub config_json: &'s [u8],
}

/// A configured client of an outside system; the profile makes instances of it. Unless the manifest says
/// `"concurrency": "shared"` an instance gets one call at a time, from any thread.
pub trait Connector: Sized + Send + Sync + 'static {
    fn create(setup: &Setup) -> Result<Self, Failure>;
    fn invoke(&self, call: &Call) -> Result<Vec<u8>, Failure>;
    /// As in Effect::reconcile.
    fn reconcile(&self, _call: &Call) -> Result<Option<Vec<u8>>, Refusal> {
        Err(Refusal::Status(sys::E_UNSUPPORTED))
    }
    /// As in Effect::later.
    fn start(&self, completion: Completion) {
        completion.fail(&Failure::terminal("connector.start", "this connector has no operations that complete later"));
    }
}

fn instance<'i, T: Connector>(raw: *mut sys::Connector) -> Result<&'i T, Refusal> {
    unsafe { (raw as *const T).as_ref() }.ok_or(Refusal::Status(sys::E_INVALID))
}

extern "C" fn connector_create<T: Connector>(
    host: *const sys::HostRoot,
    name: sys::Bytes,
    config_json: sys::Bytes,
    made: *mut *mut sys::Connector,
    why: *mut sys::FailureSink,
) -> sys::Status {
    guard(host, why, || {
        let (name, config_json) = unsafe { (view(name), view(config_json)) };
        let instance = T::create(&Setup { host, name, config_json })?;
        unsafe { *made = Box::into_raw(Box::new(instance)) as *mut sys::Connector };
        Ok(sys::OK)
    })
}

extern "C" fn connector_destroy<T: Connector>(raw: *mut sys::Connector) {
    guard(std::ptr::null(), std::ptr::null_mut(), || {
        if !raw.is_null() {
            drop(unsafe { Box::from_raw(raw as *mut T) });
        }
        Ok(sys::OK)
    });
}

extern "C" fn connector_invoke<T: Connector>(
    raw: *mut sys::Connector,
    call: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
) -> sys::Status {
    execute(call, out, why, |call| Ok(instance::<T>(raw)?.invoke(call)?))
}

extern "C" fn connector_start<T: Connector>(
    raw: *mut sys::Connector,
    call: *const sys::EffectCall,
    done: *mut sys::Completion,
    _why: *mut sys::FailureSink,
) -> sys::Status {
    match unsafe { (raw as *const T).as_ref() } {
        Some(instance) => start(call, done, |completion| instance.start(completion)),
        None => sys::E_INVALID,
    }
}

extern "C" fn connector_reconcile<T: Connector>(
    raw: *mut sys::Connector,
    call: *const sys::EffectCall,
    out: *mut sys::Sink,
    why: *mut sys::FailureSink,
) -> sys::Status {
    reconcile(call, out, why, |call| instance::<T>(raw)?.reconcile(call))
}

#[doc(hidden)]
pub const fn connector_table<T: Connector>() -> sys::ConnectorTable {
    sys::ConnectorTable {
        struct_size: std::mem::size_of::<sys::ConnectorTable>() as u32,
        flags: 0,
        create: connector_create::<T>,
        destroy: connector_destroy::<T>,
        invoke: connector_invoke::<T>,
        start: connector_start::<T>,
        reconcile: connector_reconcile::<T>,
    }
}
