//! pawl.rs: plugins in Rust, over the C ABI and nothing else: no crates, no cargo. Made for rustc 1.63 and later; panics
//! are caught at every entry, so that none gets into a frame of the host.
//!
//! ```text
//! use pawl::{Ended, Failure, Process, ProcessType};
//! use std::time::Duration;
//!
//! fn checkout(p: &Process) -> Ended {
//!     let hold = p.call("stock.reserve", p.input())?;
//!     p.on_rollback("stock.release", hold)?;
//!     let pay = p.start_call("bank.charge", hold);
//!     let late = p.start_timer(Duration::from_secs(30));
//!     if p.wait_any(&[pay, late])? == 1 {
//!         return Err(Failure::terminal("checkout.timeout", "the bank did not answer in 30 s").into());
//!     }
//!     Ok(p.result(pay)?.to_vec())
//! }
//!
//! pawl::plugin! {
//!     manifest: include_str!("../manifest.json"),
//!     vendor: "Example",
//!     processes: [ProcessType { name: "shop.checkout", revision: 3, program: checkout }],
//! }
//! ```
//!
//! Build it once as a library and then each plugin as a shared object:
//!
//! ```text
//! rustc --edition 2021 -O --crate-type rlib --crate-name pawl pawl.rs
//! rustc --edition 2021 -O --crate-type cdylib --extern pawl=libpawl.rlib plugin.rs -o plugin.so
//! ```
//!
//! The rules of process code (docs/process-code.md) hold in Rust, too: an Err that is Stop::Suspended is returned
//! unchanged, and what runs then in destructors frees memory and nothing else.
#[cfg(panic = "abort")]
compile_error!("a panic would end the host: build with -C panic=unwind, the default");

mod edge;
mod effect;
mod json;
mod program;
pub mod sys;

pub use edge::{guard, json_string, Class, Failure, Note, Refusal};
pub use effect::{Call, Completion, Connector, Effect, Setup};
pub use json::Json;
pub use program::{CallOptions, ChildOptions, Ended, Future, Process, ProcessType, Stop, Update};

/// An interface of your own, or one that has no words here, by its id.
pub struct Interface {
    id: &'static str,
    table: *const std::ffi::c_void,
}

unsafe impl Sync for Interface {}

impl Interface {
    /// The table stays as long as the program: it is never unloaded.
    pub const fn new<T: Sync>(id: &'static str, table: &'static T) -> Interface {
        Interface { id, table: table as *const T as *const _ }
    }
}

/// Bytes that the host lends to a table function of yours, for the time of that call.
///
/// # Safety
/// They are what the host gave, and are not kept longer.
pub unsafe fn borrowed<'a>(bytes: sys::Bytes) -> &'a [u8] {
    edge::view(bytes)
}

/// Bytes lent to the host for one call.
pub fn lent(bytes: &[u8]) -> sys::Bytes {
    edge::lend(bytes)
}

/// Append to a result of the host.
pub fn sink_write(host: *const sys::HostRoot, sink: *mut sys::Sink, bytes: &[u8]) -> sys::Status {
    match edge::core_of(host) {
        Some(core) => (core.sink_write)(sink, bytes.as_ptr() as *const _, bytes.len()),
        None => sys::E_INVALID,
    }
}

#[doc(hidden)]
pub mod private {
    pub use crate::edge::{manifest_text, note, note_size};
    pub use crate::effect::{connector_table, effect_execute, effect_reconcile, effect_start};
    pub use crate::program::activate;
    use crate::{edge, sys, Failure, Interface};
    use std::ffi::c_void;
    use std::os::raw::c_char;

    pub fn find(tables: &[Interface], wanted: *const c_char) -> *const c_void {
        if wanted.is_null() {
            return std::ptr::null();
        }
        let wanted = unsafe { std::ffi::CStr::from_ptr(wanted) }.to_bytes();
        let found = tables.iter().find(|one| one.id.as_bytes() == wanted);
        found.map_or(std::ptr::null(), |one| one.table)
    }

    pub fn init(
        host: *const sys::HostRoot,
        config_json: sys::Bytes,
        why: *mut sys::FailureSink,
        body: Option<fn(&[u8]) -> Result<(), Failure>>,
    ) -> sys::Status {
        if edge::core_of(host).is_none() {
            return sys::E_UNSUPPORTED;
        }
        edge::guard(host, why, || {
            if let Some(body) = body {
                body(unsafe { edge::view(config_json) })?;
            }
            Ok(sys::OK)
        })
    }
}

/// The entry of a plugin, once in a crate. After `manifest` and `vendor` (text literals) any of these, in this order:
/// `init: fn(&[u8]) -> Result<(), Failure>` (it gets the configuration), `processes: [ProcessType, ...]`,
/// `effects: [Effect, ...]`, `connector: a type that is a Connector`, `interfaces: [Interface, ...]`.
#[macro_export]
macro_rules! plugin {
    (
        manifest: $manifest:expr,
        vendor: $vendor:literal
        $(, init: $init:expr)?
        $(, processes: $processes:expr)?
        $(, effects: $effects:expr)?
        $(, connector: $connector:ty)?
        $(, interfaces: $interfaces:expr)?
        $(,)?
    ) => {
        const _: () = {
            const MANIFEST: &str = $manifest;
            #[link_section = ".note.pawl"]
            #[used]
            static NOTE: $crate::Note<{ $crate::private::note_size(MANIFEST) }> = $crate::private::note(MANIFEST);
            static ID: [u8; 160] = $crate::private::manifest_text(MANIFEST, "id");
            static VERSION: [u8; 160] = $crate::private::manifest_text(MANIFEST, "version");

            extern "C" fn init(
                host: *const $crate::sys::HostRoot,
                config_json: $crate::sys::Bytes,
                why: *mut $crate::sys::FailureSink,
            ) -> $crate::sys::Status {
                #[allow(unused_mut, unused_assignments)]
                let mut body: Option<fn(&[u8]) -> Result<(), $crate::Failure>> = None;
                $(body = Some($init);)?
                $crate::private::init(host, config_json, why, body)
            }
            extern "C" fn deinit(_host: *const $crate::sys::HostRoot) {}
            extern "C" fn get_factory(wanted: *const std::os::raw::c_char) -> *const std::ffi::c_void {
                $({
                    static TYPES: &[$crate::ProcessType] = &$processes;
                    extern "C" fn activate(p: *mut $crate::sys::Process, name: $crate::sys::Bytes, revision: u32) -> $crate::sys::Status {
                        $crate::private::activate(TYPES, p, name, revision)
                    }
                    static TABLE: $crate::sys::ProcessTable = $crate::sys::ProcessTable {
                        struct_size: std::mem::size_of::<$crate::sys::ProcessTable>() as u32,
                        flags: 0,
                        activate,
                    };
                    let found = $crate::private::find(&[$crate::Interface::new($crate::sys::FACTORY_PROCESS, &TABLE)], wanted);
                    if !found.is_null() {
                        return found;
                    }
                })?
                $({
                    static LIST: &[$crate::Effect] = &$effects;
                    extern "C" fn execute(
                        call: *const $crate::sys::EffectCall,
                        out: *mut $crate::sys::Sink,
                        why: *mut $crate::sys::FailureSink,
                    ) -> $crate::sys::Status {
                        $crate::private::effect_execute(LIST, call, out, why)
                    }
                    extern "C" fn start(
                        call: *const $crate::sys::EffectCall,
                        done: *mut $crate::sys::Completion,
                        _why: *mut $crate::sys::FailureSink,
                    ) -> $crate::sys::Status {
                        $crate::private::effect_start(LIST, call, done)
                    }
                    extern "C" fn reconcile(
                        call: *const $crate::sys::EffectCall,
                        out: *mut $crate::sys::Sink,
                        why: *mut $crate::sys::FailureSink,
                    ) -> $crate::sys::Status {
                        $crate::private::effect_reconcile(LIST, call, out, why)
                    }
                    static TABLE: $crate::sys::EffectTable = $crate::sys::EffectTable {
                        struct_size: std::mem::size_of::<$crate::sys::EffectTable>() as u32,
                        flags: 0,
                        execute,
                        start,
                        reconcile,
                    };
                    let found = $crate::private::find(&[$crate::Interface::new($crate::sys::FACTORY_EFFECT, &TABLE)], wanted);
                    if !found.is_null() {
                        return found;
                    }
                })?
                $({
                    static TABLE: $crate::sys::ConnectorTable = $crate::private::connector_table::<$connector>();
                    let found = $crate::private::find(&[$crate::Interface::new($crate::sys::FACTORY_CONNECTOR, &TABLE)], wanted);
                    if !found.is_null() {
                        return found;
                    }
                })?
                $({
                    static LIST: &[$crate::Interface] = &$interfaces;
                    let found = $crate::private::find(LIST, wanted);
                    if !found.is_null() {
                        return found;
                    }
                })?
                let _ = wanted;
                std::ptr::null()
            }

            static ROOT: $crate::sys::PluginRoot = $crate::sys::PluginRoot {
                struct_size: std::mem::size_of::<$crate::sys::PluginRoot>() as u32,
                abi_major: $crate::sys::ABI_MAJOR,
                abi_minor_min: 0,
                id: ID.as_ptr() as *const std::os::raw::c_char,
                version: VERSION.as_ptr() as *const std::os::raw::c_char,
                vendor: concat!($vendor, "\0").as_ptr() as *const std::os::raw::c_char,
                manifest_json: $crate::sys::Bytes {
                    data: NOTE.descriptor.as_ptr() as *const std::ffi::c_void,
                    size: MANIFEST.len(),
                },
                init,
                deinit,
                get_factory,
            };

            /// The one symbol that a host looks for.
            #[no_mangle]
            pub extern "C" fn pawl_plugin_entry_v1() -> *const $crate::sys::PluginRoot {
                &ROOT
            }
        };
    };
}
