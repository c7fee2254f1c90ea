//! edge.rs: what process code and effects share: bytes, failures, and the edge at which a panic ends. Must never let a
//! panic out into a frame of the host.
use crate::sys;
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

/// Bytes that the host lends. The caller knows for how long.
pub(crate) unsafe fn view<'a>(bytes: sys::Bytes) -> &'a [u8] {
    if bytes.size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(bytes.data as *const u8, bytes.size)
    }
}

/// Bytes lent to the host for one call.
pub(crate) fn lend(bytes: &[u8]) -> sys::Bytes {
    sys::Bytes { data: bytes.as_ptr() as *const _, size: bytes.len() }
}

pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Text as a JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", letter as u32)),
            _ => json.push(letter),
        }
    }
    json.push('"');
    json
}

/// How the engine may treat a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Do not retry; this is the result.
    Terminal,
    /// It certainly did not happen, or doing it again is harmless.
    Retryable,
    /// It may have happened: the outcome rule of the effect decides.
    UnknownOutcome,
}

/// Why a call or a process fails.
#[derive(Clone, Debug)]
pub struct Failure {
    pub class: Class,
    /// Stable and dotted, for programs.
    pub code: String,
    /// For people; never a secret.
    pub message: String,
    /// A JSON object, or empty.
    pub detail_json: String,
    /// A floor for the next attempt; zero leaves it to the policy.
    pub retry_after: Duration,
}

impl Failure {
    fn new(class: Class, code: &str, message: impl Into<String>) -> Failure {
        Failure {
            class,
            code: code.to_string(),
            message: message.into(),
            detail_json: String::new(),
            retry_after: Duration::ZERO,
        }
    }
    pub fn terminal(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::Terminal, code, message)
    }
    pub fn retryable(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::Retryable, code, message)
    }
    pub fn unknown_outcome(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::UnknownOutcome, code, message)
    }
    pub fn with_detail(mut self, object_json: impl Into<String>) -> Failure {
        self.detail_json = object_json.into();
        self
    }
    pub fn after(mut self, retry_after: Duration) -> Failure {
        self.retry_after = retry_after;
        self
    }

    pub(crate) unsafe fn taken(raw: &sys::Failure) -> Failure {
        let class = match raw.klass {
            sys::TERMINAL => Class::Terminal,
            sys::RETRYABLE => Class::Retryable,
            _ => Class::UnknownOutcome, // also what is not known
        };
        let text = |bytes| String::from_utf8_lossy(view(bytes)).into_owned();
        Failure {
            class,
            code: text(raw.code),
            message: text(raw.message),
            detail_json: text(raw.detail_json),
            retry_after: Duration::from_nanos(raw.retry_after_ns),
        }
    }

    /// Hand it to a function of the host; it borrows from self for that call.
    pub(crate) fn told<T>(&self, tell: impl FnOnce(*const sys::Failure) -> T) -> T {
        let raw = sys::Failure {
            struct_size: std::mem::size_of::<sys::Failure>() as u32,
            klass: match self.class {
                Class::Terminal => sys::TERMINAL,
                Class::Retryable => sys::RETRYABLE,
                Class::UnknownOutcome => sys::UNKNOWN_OUTCOME,
            },
            code: lend(self.code.as_bytes()),
            message: lend(self.message.as_bytes()),
            detail_json: lend(self.detail_json.as_bytes()),
            retry_after_ns: nanoseconds(self.retry_after),
        };
        tell(&raw)
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        String::from("the plugin panicked with something that is no text")
    }
}

/// The host's core table; None when there is no host.
pub(crate) fn core_of(host: *const sys::HostRoot) -> Option<&'static sys::Core> {
    unsafe {
        let root = host.as_ref()?;
        ((root.get_extension)(host, sys::EXT_CORE.as_ptr() as *const _) as *const sys::Core).as_ref()
    }
}

/// How a function of a table ends when not with success.
pub enum Refusal {
    Failed(Failure),
    Status(sys::Status),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failed(failure)
    }
}

/// Run a body at the edge of a table function. Of a panic nobody knows what it left behind: class UnknownOutcome.
pub fn guard(
    host: *const sys::HostRoot,
    why: *mut sys::FailureSink,
    body: impl FnOnce() -> Result<sys::Status, Refusal>,
) -> sys::Status {
    let refusal = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(refusal)) => refusal,
        Err(panic) => Failure::unknown_outcome("plugin.panic", panic_text(&*panic)).into(),
    };
    match refusal {
        Refusal::Status(status) => status,
        Refusal::Failed(failure) => {
            if let (Some(core), false) = (core_of(host), why.is_null()) {
                failure.told(|raw| (core.fail)(why, raw));
            }
            sys::E_FAILED
        }
    }
}

// ---- the manifest, at compile time ---------------------------------------------------------------------------------

/// The ELF note; N is the size of the manifest, padded to a multiple of four.
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    name_size: u32,
    descriptor_size: u32,
    kind: u32,
    name: [u8; 8],
    pub descriptor: [u8; N],
}

#[doc(hidden)]
pub const fn note_size(manifest: &str) -> usize {
    (manifest.len() + 3) / 4 * 4
}

#[doc(hidden)]
pub const fn note<const N: usize>(manifest: &str) -> Note<N> {
    let bytes = manifest.as_bytes();
    let mut descriptor = [0; N];
    let mut i = 0;
    while i < bytes.len() {
        descriptor[i] = bytes[i];
        i += 1;
    }
    Note {
        name_size: 5,
        descriptor_size: bytes.len() as u32,
        kind: sys::NOTE_TYPE_MANIFEST,
        name: *b"Pawl\0\0\0\0",
        descriptor,
    }
}

const fn same(json: &[u8], from: usize, end: usize, key: &[u8]) -> bool {
    let mut i = 0;
    while i < key.len() {
        if from + i >= end || json[from + i] != key[i] {
            return false;
        }
        i += 1;
    }
    from + i == end
}

const fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\n' || byte == b'\r' || byte == b'\t'
}

/// Where the string that begins before `at` ends.
const fn string_end(json: &[u8], mut at: usize) -> usize {
    while at < json.len() && json[at] != b'"' {
        at += if json[at] == b'\\' { 2 } else { 1 };
    }
    at
}

/// A text member of the manifest, NUL-terminated: what the root has to repeat.
#[doc(hidden)]
pub const fn manifest_text<const N: usize>(manifest: &str, key: &str) -> [u8; N] {
    let json = manifest.as_bytes();
    let mut depth = 0;
    let mut at = 0;
    while at < json.len() {
        if json[at] == b'{' || json[at] == b'[' {
            depth += 1;
        } else if json[at] == b'}' || json[at] == b']' {
            depth -= 1;
        } else if json[at] == b'"' {
            let from = at + 1;
            let end = string_end(json, from);
            let mut next = end + 1;
            while next < json.len() && (is_blank(json[next]) || json[next] == b':') {
                next += 1;
            }
            let is_key = next > end + 1 && next < json.len() && json[next] == b'"';
            if depth == 1 && is_key && same(json, from, end, key.as_bytes()) {
                let mut text = [0; N];
                let last = string_end(json, next + 1);
                let mut i = next + 1;
                while i < last {
                    text[i - next - 1] = json[i];
                    i += 1;
                }
                return text;
            }
            at = end;
        }
        at += 1;
    }
    panic!("the manifest has no \"id\" or no \"version\"")
}
