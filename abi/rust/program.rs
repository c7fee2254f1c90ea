//! program.rs: process code. A program is a function that is run from the top again and again over its journal; what must
//! wait is an Err that it returns, which `?` does. Must never let a run go on that the host has ended.
use crate::edge::{lend, nanoseconds, panic_text, view, Failure};
use crate::sys;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

/// Why a program cannot go on here. Return it, with `?`; only a failure and a cancel may be looked at and handled.
#[derive(Debug)]
pub enum Stop {
    /// Nothing more to do now. Whoever swallows it gets no further: every later call gives it again.
    Suspended,
    /// The process was asked to stop; told once. What the program still has to do it may do.
    Cancelled,
    /// A call failed; returned, the process fails with it.
    Failed(Failure),
    /// Another status of the host.
    Status(sys::Status),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<std::str::Utf8Error> for Stop {
    fn from(error: std::str::Utf8Error) -> Stop {
        Stop::Failed(Failure::terminal("process.utf8", error.to_string()))
    }
}

/// What a program returns: its output.
pub type Ended = Result<Vec<u8>, Stop>;

/// Something that will be there later; a number that is the same in every run.
#[derive(Clone, Copy, Debug)]
pub struct Future(u64);

/// Zero leaves it to the manifest and the profile.
#[derive(Clone, Copy, Default)]
pub struct CallOptions {
    pub attempts: u32,
    /// Of one attempt.
    pub timeout: Duration,
    /// Of all attempts together.
    pub deadline: Duration,
}

#[derive(Clone, Copy, Default)]
pub struct ChildOptions<'o> {
    /// Empty: made from the parent's.
    pub id: &'o str,
    /// Empty: the parent's.
    pub session: &'o str,
    pub no_session: bool,
    /// Its future comes when it is durably started, not when it ends.
    pub detached: bool,
    /// 0: it is asked to stop when its parent ends; 1: terminated; 2: it goes on.
    pub parent_close: u32,
    /// From its start; it is asked to stop then. Zero: none.
    pub deadline: Duration,
    /// 1 (first) to 5 (last); 0: the parent's.
    pub priority: u32,
    /// Empty: the parent's, if it was given one.
    pub key: &'o str,
}

/// A request from outside that this process answers once.
#[derive(Clone, Copy)]
pub struct Update<'p> {
    which: Future,
    pub payload: &'p [u8],
}

/// The process that a program is run for. What it gives lives until the program returns. Neither Send nor Sync.
pub struct Process<'p> {
    raw: *mut sys::Process,
    over: Cell<Option<sys::Status>>,
    life: PhantomData<&'p [u8]>,
}

impl<'p> Process<'p> {
    fn host(&self) -> &sys::ProcessHost {
        unsafe { &*(*self.raw).host }
    }
    fn check(&self, status: sys::Status) -> Result<(), Stop> {
        match status {
            sys::OK => Ok(()),
            sys::SUSPEND => {
                self.over.set(Some(self.over.get().unwrap_or(status)));
                Err(Stop::Suspended)
            }
            sys::E_CANCELLED => Err(Stop::Cancelled),
            other => Err(Stop::Status(other)),
        }
    }

    // Facts.
    pub fn input(&self) -> &'p [u8] {
        unsafe { view((self.host().input)(self.raw)) }
    }
    pub fn id(&self) -> &'p [u8] {
        unsafe { view((self.host().id)(self.raw)) }
    }
    /// Empty when the process belongs to none.
    pub fn session(&self) -> &'p [u8] {
        unsafe { view((self.host().session)(self.raw)) }
    }
    pub fn run_number(&self) -> u32 {
        (self.host().run)(self.raw)
    }
    /// Only for logging.
    pub fn replaying(&self) -> bool {
        (self.host().replaying)(self.raw) != 0
    }
    pub fn cancel_reason(&self) -> &'p [u8] {
        unsafe { view((self.host().cancel_reason)(self.raw)) }
    }
    pub fn journal_bytes(&self) -> u64 {
        (self.host().journal_bytes)(self.raw)
    }
    pub fn should_continue(&self) -> bool {
        (self.host().should_continue)(self.raw) != 0
    }

    // The world, recorded.
    /// Since 1970-01-01T00:00Z.
    pub fn now(&self) -> Duration {
        Duration::from_nanos((self.host().now_unix_ns)(self.raw))
    }
    /// The same bytes in every run; not for secrets.
    pub fn random(&self, bytes: &mut [u8]) {
        (self.host().random)(self.raw, bytes.as_mut_ptr() as *mut _, bytes.len());
    }
    pub fn uuid(&self) -> String {
        let mut text = [0u8; 37];
        (self.host().uuid)(self.raw, text.as_mut_ptr() as *mut _);
        String::from_utf8_lossy(&text[..36]).into_owned()
    }
    /// Which version of a change of this program the process lives by.
    pub fn version(&self, change_id: &str, min: u32, max: u32) -> u32 {
        (self.host().version)(self.raw, lend(change_id.as_bytes()), min, max)
    }

    // Starting.
    pub fn start_call(&self, name: &str, input: &[u8]) -> Future {
        self.start_call_with(name, input, CallOptions::default())
    }
    pub fn start_call_with(&self, name: &str, input: &[u8], options: CallOptions) -> Future {
        let raw = sys::CallOptions {
            struct_size: std::mem::size_of::<sys::CallOptions>() as u32,
            attempts_max: options.attempts,
            timeout_ns: nanoseconds(options.timeout),
            deadline_ns: nanoseconds(options.deadline),
        };
        Future((self.host().start_call)(self.raw, lend(name.as_bytes()), lend(input), &raw))
    }
    pub fn start_timer(&self, span: Duration) -> Future {
        Future((self.host().start_timer)(self.raw, nanoseconds(span)))
    }
    pub fn wait_signal(&self, name: &str) -> Future {
        Future((self.host().wait_signal)(self.raw, lend(name.as_bytes())))
    }
    pub fn wait_update(&self, name: &str) -> Future {
        Future((self.host().wait_update)(self.raw, lend(name.as_bytes())))
    }
    pub fn start_child(&self, kind: &str, input: &[u8], options: ChildOptions) -> Future {
        let raw = sys::ChildOptions {
            struct_size: std::mem::size_of::<sys::ChildOptions>() as u32,
            flags: if options.detached { sys::CHILD_DETACHED } else { 0 }
                | if options.no_session { sys::CHILD_NO_SESSION } else { 0 },
            id: lend(options.id.as_bytes()),
            session: lend(options.session.as_bytes()),
            parent_close: options.parent_close,
            priority: options.priority,
            deadline_ns: nanoseconds(options.deadline),
            key: lend(options.key.as_bytes()),
        };
        Future((self.host().start_child)(self.raw, lend(kind.as_bytes()), lend(input), &raw))
    }
    pub fn child_id(&self, child: Future) -> Result<&'p [u8], Stop> {
        let mut id = lend(b"");
        self.check((self.host().child_id)(self.raw, child.0, &mut id))?;
        Ok(unsafe { view(id) })
    }

    // Awaiting.
    fn wait(&self, mode: u32, futures: &[Future]) -> Result<usize, Stop> {
        if std::thread::panicking() {
            return Err(Stop::Status(sys::E_INVALID)); // in a destructor: no place to wait
        }
        let list: Vec<u64> = futures.iter().map(|future| future.0).collect();
        let mut index = 0;
        self.check((self.host().r#await)(self.raw, mode, list.as_ptr(), list.len(), &mut index))?;
        Ok(index)
    }
    pub fn wait_for(&self, future: Future) -> Result<(), Stop> {
        self.wait(sys::AWAIT_ANY, &[future]).map(|_| ())
    }
    /// The position of the one that came first.
    pub fn wait_any(&self, futures: &[Future]) -> Result<usize, Stop> {
        self.wait(sys::AWAIT_ANY, futures)
    }
    pub fn wait_all(&self, futures: &[Future]) -> Result<(), Stop> {
        self.wait(sys::AWAIT_ALL, futures).map(|_| ())
    }
    /// The value of a future that a wait has given, or its failure.
    pub fn result(&self, came: Future) -> Result<&'p [u8], Stop> {
        let mut value = lend(b"");
        let status = (self.host().result)(self.raw, came.0, &mut value);
        if status == sys::E_FAILED {
            let nothing = lend(b"");
            let mut raw = sys::Failure {
                struct_size: std::mem::size_of::<sys::Failure>() as u32,
                klass: 0,
                code: nothing,
                message: nothing,
                detail_json: nothing,
                retry_after_ns: 0,
            };
            self.check((self.host().failure)(self.raw, came.0, &mut raw))?;
            return Err(Stop::Failed(unsafe { Failure::taken(&raw) }));
        }
        self.check(status)?;
        Ok(unsafe { view(value) })
    }

    // Start, wait and result in one.
    fn outcome_of(&self, started: Future) -> Result<&'p [u8], Stop> {
        self.wait_for(started)?;
        self.result(started)
    }
    pub fn call(&self, name: &str, input: &[u8]) -> Result<&'p [u8], Stop> {
        self.outcome_of(self.start_call(name, input))
    }
    pub fn call_with(&self, name: &str, input: &[u8], options: CallOptions) -> Result<&'p [u8], Stop> {
        self.outcome_of(self.start_call_with(name, input, options))
    }
    pub fn child(&self, kind: &str, input: &[u8]) -> Result<&'p [u8], Stop> {
        self.outcome_of(self.start_child(kind, input, ChildOptions::default()))
    }
    pub fn sleep(&self, span: Duration) -> Result<(), Stop> {
        self.wait_for(self.start_timer(span))
    }
    /// Until a moment of the wall clock, as `now` gives it; not at all when it is past. The clock is read for it, which is
    /// recorded.
    pub fn sleep_until(&self, since_1970: Duration) -> Result<(), Stop> {
        match since_1970.checked_sub(self.now()) {
            Some(span) if !span.is_zero() => self.sleep(span),
            _ => Ok(()),
        }
    }
    pub fn signal(&self, name: &str) -> Result<&'p [u8], Stop> {
        self.outcome_of(self.wait_signal(name))
    }
    /// None when no signal came in time.
    pub fn signal_within(&self, name: &str, span: Duration) -> Result<Option<&'p [u8]>, Stop> {
        let wait = self.wait_signal(name);
        let late = self.start_timer(span);
        if self.wait_any(&[wait, late])? == 1 {
            return Ok(None);
        }
        self.result(wait).map(Some)
    }

    // Updates.
    pub fn next_update(&self, name: &str) -> Result<Update<'p>, Stop> {
        let which = self.wait_update(name);
        let payload = self.outcome_of(which)?;
        Ok(Update { which, payload })
    }
    pub fn reply(&self, update: Update, value: &[u8]) -> Result<(), Stop> {
        self.check((self.host().answer)(self.raw, update.which.0, lend(value), std::ptr::null()))
    }
    pub fn reject(&self, update: Update, why: &Failure) -> Result<(), Stop> {
        self.check(why.told(|raw| (self.host().answer)(self.raw, update.which.0, lend(b""), raw)))
    }

    // Compensation.
    pub fn on_rollback(&self, effect: &str, input: &[u8]) -> Result<(), Stop> {
        self.on_rollback_of(Future(0), effect, input)
    }
    /// Only if that call happens.
    pub fn on_rollback_of(&self, call: Future, effect: &str, input: &[u8]) -> Result<(), Stop> {
        let name = lend(effect.as_bytes());
        self.check((self.host().on_rollback)(self.raw, call.0, name, lend(input), std::ptr::null()))
    }

    // What others see.
    pub fn set_status(&self, document_json: &[u8]) -> Result<(), Stop> {
        self.check((self.host().set_status)(self.raw, lend(document_json)))
    }
    pub fn set_attributes(&self, object_json: &[u8]) -> Result<(), Stop> {
        self.check((self.host().set_attributes)(self.raw, lend(object_json)))
    }
    /// level: 1 debug, 2 info, 3 warn, 4 error.
    pub fn log(&self, level: u32, message: &str, fields_json: &str) {
        (self.host().log)(self.raw, level, lend(message.as_bytes()), lend(fields_json.as_bytes()));
    }

    /// End this run and go on as the next one, with this input: return what it gives.
    pub fn continue_as_new(&self, input: &[u8]) -> Ended {
        let status = (self.host().continue_as_new)(self.raw, lend(input));
        self.over.set(Some(self.over.get().unwrap_or(status)));
        Err(Stop::Status(status))
    }

    fn end(&self, ended: std::thread::Result<Ended>) -> sys::Status {
        if let Some(status) = self.over.get() {
            return status;
        }
        match ended {
            Ok(Ok(output)) => (self.host().complete)(self.raw, lend(&output)),
            Ok(Err(Stop::Suspended)) => sys::SUSPEND,
            Ok(Err(Stop::Cancelled)) => sys::E_CANCELLED,
            Ok(Err(Stop::Status(status))) => status,
            Ok(Err(Stop::Failed(why))) => why.told(|raw| (self.host().fail)(self.raw, raw)),
            Err(panic) => {
                Failure::terminal("process.panic", panic_text(&*panic)).told(|raw| (self.host().fail)(self.raw, raw))
            }
        }
    }
}

/// A process type: its name, its revision, its program.
pub struct ProcessType {
    pub name: &'static str,
    pub revision: u32,
    pub program: fn(&Process) -> Ended,
}

#[doc(hidden)]
pub fn activate(types: &[ProcessType], raw: *mut sys::Process, name: sys::Bytes, revision: u32) -> sys::Status {
    let name = unsafe { view(name) };
    let found = types.iter().find(|one| one.revision == revision && one.name.as_bytes() == name);
    let program = match found {
        Some(one) => one.program,
        None => return sys::E_UNSUPPORTED, // the host parks the process until a plugin that has it is there
    };
    let process = Process { raw, over: Cell::new(None), life: PhantomData };
    let ended = catch_unwind(AssertUnwindSafe(|| program(&process)));
    process.end(ended)
}
