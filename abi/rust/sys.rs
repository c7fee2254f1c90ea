//! sys.rs: the structs of pawl_abi.h that a plugin in Rust meets, as they lie in memory. They never hold anything but what
//! the C header says; the test `rust-layout` compares each member with abi/golden/layout-1.0.txt.
#![allow(missing_docs)]

use std::ffi::c_void;
use std::os::raw::c_char;

pub type Status = i32;
pub const OK: Status = 0;
pub const SUSPEND: Status = 1;
pub const PENDING: Status = 2;
pub const E_FAILED: Status = -1;
pub const E_UNSUPPORTED: Status = -2;
pub const E_INVALID: Status = -3;
pub const E_NOMEM: Status = -4;
pub const E_CANCELLED: Status = -5;
pub const E_NOT_FOUND: Status = -8;
pub const E_CONFLICT: Status = -9;
pub const E_STALE: Status = -10;
pub const E_LIMIT: Status = -12;

pub const TERMINAL: u32 = 1;
pub const RETRYABLE: u32 = 2;
pub const UNKNOWN_OUTCOME: u32 = 3;

pub const AWAIT_ANY: u32 = 1;
pub const AWAIT_ALL: u32 = 2;

pub const CHILD_DETACHED: u32 = 1;
pub const CHILD_NO_SESSION: u32 = 2;

pub const TIER_INLINE: u32 = 0;
pub const FACET_SESSION: u32 = 2;
pub const SESSION_PUT: u32 = 1;
pub const SESSION_DELETE: u32 = 2;
pub const SESSION_PUT_NEW: u32 = 3;
pub const REVISION_ANY: u64 = u64::MAX;

pub const ABI_MAJOR: u16 = 1;
pub const NOTE_TYPE_MANIFEST: u32 = 0x5057_0001;

pub const EXT_CORE: &[u8] = b"pawl.core/1\0";
pub const FACTORY_EFFECT: &str = "pawl.effect/1";
pub const FACTORY_CONNECTOR: &str = "pawl.connector/1";
pub const FACTORY_PROCESS: &str = "pawl.process/1";
pub const FACTORY_STORAGE: &str = "pawl.storage/1";
pub const FACTORY_SESSION: &str = "pawl.facet.session/1";

/// A host object: only ever a pointer to one.
macro_rules! opaque {
    ($($name:ident)*) => { $(
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )* };
}
opaque!(Sink FailureSink CancelToken Completion CallContext Connector Store);

/// Defines the structs, and `layout`, which says where their members lie in the words of the golden file.
macro_rules! structs {
    ($($c:literal $name:ident { $($member:ident: $type:ty,)* })*) => {
        $(
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $name {
                $(pub $member: $type,)*
            }
            // What is in them is constant, or used by one call at a time, as the header says.
            unsafe impl Sync for $name {}
            unsafe impl Send for $name {}
        )*

        /// One line for each struct and each member.
        pub fn layout() -> Vec<String> {
            let mut lines = Vec::new();
            $(
                let place = std::mem::MaybeUninit::<$name>::uninit();
                let base = place.as_ptr();
                lines.push(format!("{}: {} bytes", $c, std::mem::size_of::<$name>()));
                $(
                    let member = unsafe { std::ptr::addr_of!((*base).$member) };
                    lines.push(format!(
                        "{}.{} at {}, {} bytes",
                        $c,
                        stringify!($member).trim_start_matches("r#"),
                        member as usize - base as usize,
                        std::mem::size_of::<$type>()
                    ));
                )*
            )*
            lines
        }
    };
}

pub type SessionVisit = extern "C" fn(context: *mut c_void, key: Bytes, value: Bytes) -> i32;
pub type SessionNameVisit = extern "C" fn(context: *mut c_void, session: Bytes, revision: u64) -> i32;

structs! {
    "pawl_bytes" Bytes {
        data: *const c_void,
        size: usize,
    }
    "pawl_failure" Failure {
        struct_size: u32,
        klass: u32,
        code: Bytes,
        message: Bytes,
        detail_json: Bytes,
        retry_after_ns: u64,
    }
    "pawl_host_root" HostRoot {
        struct_size: u32,
        abi_major: u16,
        abi_minor: u16,
        name: *const c_char,
        version: *const c_char,
        host_data: *mut c_void,
        get_extension: extern "C" fn(*const HostRoot, *const c_char) -> *const c_void,
    }
    "pawl_core" Core {
        struct_size: u32,
        reserved0: u32,
        sink_write: extern "C" fn(*mut Sink, *const c_void, usize) -> Status,
        fail: extern "C" fn(*mut FailureSink, *const Failure),
        cancel_requested: extern "C" fn(*const CancelToken) -> i32,
        cancel_fd: extern "C" fn(*const CancelToken) -> i32,
        complete: extern "C" fn(*mut Completion, Status, Bytes, *const Failure),
        log: extern "C" fn(*const HostRoot, u32, Bytes, Bytes),
        mono_now_ns: extern "C" fn(*const HostRoot) -> u64,
        unix_now_ns: extern "C" fn(*const HostRoot) -> u64,
    }
    "pawl_plugin_root" PluginRoot {
        struct_size: u32,
        abi_major: u16,
        abi_minor_min: u16,
        id: *const c_char,
        version: *const c_char,
        vendor: *const c_char,
        manifest_json: Bytes,
        init: extern "C" fn(*const HostRoot, Bytes, *mut FailureSink) -> Status,
        deinit: extern "C" fn(*const HostRoot),
        get_factory: extern "C" fn(*const c_char) -> *const c_void,
    }
    "pawl_effect_call" EffectCall {
        struct_size: u32,
        attempt: u32,
        host: *const HostRoot,
        context: *const CallContext,
        operation: Bytes,
        input: Bytes,
        idempotency_key: Bytes,
        trace_context: Bytes,
        deadline_mono_ns: u64,
        cancel: *const CancelToken,
    }
    "pawl_effect_table" EffectTable {
        struct_size: u32,
        flags: u32,
        execute: extern "C" fn(*const EffectCall, *mut Sink, *mut FailureSink) -> Status,
        start: extern "C" fn(*const EffectCall, *mut Completion, *mut FailureSink) -> Status,
        reconcile: extern "C" fn(*const EffectCall, *mut Sink, *mut FailureSink) -> Status,
    }
    "pawl_connector_table" ConnectorTable {
        struct_size: u32,
        flags: u32,
        create: extern "C" fn(*const HostRoot, Bytes, Bytes, *mut *mut Connector, *mut FailureSink) -> Status,
        destroy: extern "C" fn(*mut Connector),
        invoke: extern "C" fn(*mut Connector, *const EffectCall, *mut Sink, *mut FailureSink) -> Status,
        start: extern "C" fn(*mut Connector, *const EffectCall, *mut Completion, *mut FailureSink) -> Status,
        reconcile: extern "C" fn(*mut Connector, *const EffectCall, *mut Sink, *mut FailureSink) -> Status,
    }
    "pawl_call_options" CallOptions {
        struct_size: u32,
        attempts_max: u32,
        timeout_ns: u64,
        deadline_ns: u64,
    }
    "pawl_child_options" ChildOptions {
        struct_size: u32,
        flags: u32,
        id: Bytes,
        session: Bytes,
        parent_close: u32,
        priority: u32,
        deadline_ns: u64,
        key: Bytes,
    }
    "pawl_process_host" ProcessHost {
        struct_size: u32,
        reserved0: u32,
        input: extern "C" fn(*mut Process) -> Bytes,
        id: extern "C" fn(*mut Process) -> Bytes,
        session: extern "C" fn(*mut Process) -> Bytes,
        run: extern "C" fn(*mut Process) -> u32,
        replaying: extern "C" fn(*mut Process) -> i32,
        alloc: extern "C" fn(*mut Process, usize) -> *mut c_void,
        start_call: extern "C" fn(*mut Process, Bytes, Bytes, *const CallOptions) -> u64,
        start_timer: extern "C" fn(*mut Process, u64) -> u64,
        wait_signal: extern "C" fn(*mut Process, Bytes) -> u64,
        r#await: extern "C" fn(*mut Process, u32, *const u64, usize, *mut usize) -> Status,
        result: extern "C" fn(*mut Process, u64, *mut Bytes) -> Status,
        failure: extern "C" fn(*mut Process, u64, *mut Failure) -> Status,
        now_unix_ns: extern "C" fn(*mut Process) -> u64,
        random: extern "C" fn(*mut Process, *mut c_void, usize),
        uuid: extern "C" fn(*mut Process, *mut c_char),
        set_status: extern "C" fn(*mut Process, Bytes) -> Status,
        log: extern "C" fn(*mut Process, u32, Bytes, Bytes),
        complete: extern "C" fn(*mut Process, Bytes) -> Status,
        fail: extern "C" fn(*mut Process, *const Failure) -> Status,
        cancel_reason: extern "C" fn(*mut Process) -> Bytes,
        version: extern "C" fn(*mut Process, Bytes, u32, u32) -> u32,
        journal_bytes: extern "C" fn(*mut Process) -> u64,
        journal_records: extern "C" fn(*mut Process) -> u64,
        should_continue: extern "C" fn(*mut Process) -> i32,
        continue_as_new: extern "C" fn(*mut Process, Bytes) -> Status,
        start_child: extern "C" fn(*mut Process, Bytes, Bytes, *const ChildOptions) -> u64,
        child_id: extern "C" fn(*mut Process, u64, *mut Bytes) -> Status,
        set_attributes: extern "C" fn(*mut Process, Bytes) -> Status,
        on_rollback: extern "C" fn(*mut Process, u64, Bytes, Bytes, *const CallOptions) -> Status,
        wait_update: extern "C" fn(*mut Process, Bytes) -> u64,
        answer: extern "C" fn(*mut Process, u64, Bytes, *const Failure) -> Status,
    }
    "pawl_process" Process {
        host: *const ProcessHost,
    }
    "pawl_process_table" ProcessTable {
        struct_size: u32,
        flags: u32,
        activate: extern "C" fn(*mut Process, Bytes, u32) -> Status,
    }
    "pawl_storage_table" StorageTable {
        struct_size: u32,
        facets: u32,
        tier: extern "C" fn(Bytes, u32, *mut u32, *mut FailureSink) -> Status,
        open: extern "C" fn(*const HostRoot, Bytes, *mut *mut Store, *mut FailureSink) -> Status,
        close: extern "C" fn(*mut Store),
        describe: extern "C" fn(*mut Store, *mut Sink, *mut FailureSink) -> Status,
    }
    "pawl_session_change" SessionChange {
        struct_size: u32,
        kind: u32,
        key: Bytes,
        value: Bytes,
    }
    "pawl_session_table" SessionTable {
        struct_size: u32,
        reserved0: u32,
        commit: extern "C" fn(
            *mut Store, Bytes, u64, Bytes, *const *const SessionChange, usize, *mut u64, *mut FailureSink,
        ) -> Status,
        get: extern "C" fn(*mut Store, Bytes, Bytes, *mut Sink, *mut u64, *mut FailureSink) -> Status,
        scan: extern "C" fn(
            *mut Store, Bytes, Bytes, SessionVisit, *mut c_void, *mut u64, *mut FailureSink,
        ) -> Status,
        remove: extern "C" fn(*mut Store, Bytes, *mut FailureSink) -> Status,
        list: extern "C" fn(*mut Store, Bytes, u32, SessionNameVisit, *mut c_void, *mut FailureSink) -> Status,
    }
}
