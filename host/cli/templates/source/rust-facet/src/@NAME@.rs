//! @NAME@.rs: a storage provider with one facet: the state of sessions, in memory. Every change is one commit: all of it
//! or nothing, under one lock. What the functions must do stands in pawl_abi.h.
use pawl::{borrowed, guard, lent, sink_write, sys, Interface, Refusal};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

#[derive(Clone, Default)]
struct Session {
    revision: u64,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    commits: BTreeMap<Vec<u8>, (Vec<Change>, u64)>, // what was committed under a key, and the revision it gave
}

#[derive(Clone, PartialEq)]
struct Change {
    kind: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

struct Store {
    host: *const sys::HostRoot,
    sessions: Mutex<BTreeMap<Vec<u8>, Session>>,
}

impl Store {
    unsafe fn of<'s>(raw: *mut sys::Store) -> &'s Store {
        &*(raw as *const Store)
    }
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Session>> {
        self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

unsafe fn set(revision: *mut u64, value: u64) {
    if !revision.is_null() {
        *revision = value;
    }
}

/// The session as it will be; the caller keeps it when all is well.
fn change(next: &mut Session, changes: &[Change]) -> Result<(), Refusal> {
    for one in changes {
        match one.kind {
            sys::SESSION_PUT => drop(next.values.insert(one.key.clone(), one.value.clone())),
            sys::SESSION_DELETE => drop(next.values.remove(&one.key)),
            sys::SESSION_PUT_NEW if next.values.contains_key(&one.key) => return Err(Refusal::Status(sys::E_CONFLICT)),
            sys::SESSION_PUT_NEW => drop(next.values.insert(one.key.clone(), one.value.clone())),
            _ => return Err(Refusal::Status(sys::E_INVALID)),
        }
    }
    next.revision += 1;
    Ok(())
}

extern "C" fn commit(
    raw: *mut sys::Store,
    name: sys::Bytes,
    expected: u64,
    key: sys::Bytes,
    list: *const *const sys::SessionChange,
    count: usize,
    revision: *mut u64,
    why: *mut sys::FailureSink,
) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || unsafe {
        let key = borrowed(key);
        let mut changes = Vec::with_capacity(count);
        for i in 0..count {
            let one = &**list.add(i);
            let (key, value) = (borrowed(one.key).to_vec(), borrowed(one.value).to_vec());
            changes.push(Change { kind: one.kind, key, value });
        }
        let mut sessions = store.lock();
        let now = sessions.entry(borrowed(name).to_vec()).or_default();
        if let (false, Some((before, gave))) = (key.is_empty(), now.commits.get(key)) {
            set(revision, *gave);
            return Ok(if *before == changes { sys::OK } else { sys::E_CONFLICT });
        }
        set(revision, now.revision);
        if expected != sys::REVISION_ANY && expected != now.revision {
            return Ok(sys::E_STALE);
        }
        let mut next = now.clone();
        change(&mut next, &changes)?;
        if !key.is_empty() {
            next.commits.insert(key.to_vec(), (changes, next.revision));
        }
        set(revision, next.revision);
        *now = next;
        Ok(sys::OK)
    })
}

extern "C" fn get(
    raw: *mut sys::Store,
    name: sys::Bytes,
    key: sys::Bytes,
    value: *mut sys::Sink,
    revision: *mut u64,
    why: *mut sys::FailureSink,
) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || unsafe {
        let sessions = store.lock();
        let session = sessions.get(borrowed(name));
        set(revision, session.map_or(0, |session| session.revision));
        Ok(match session.and_then(|session| session.values.get(borrowed(key))) {
            Some(found) => sink_write(store.host, value, found),
            None => sys::E_NOT_FOUND,
        })
    })
}

extern "C" fn scan(
    raw: *mut sys::Store,
    name: sys::Bytes,
    prefix: sys::Bytes,
    visit: sys::SessionVisit,
    context: *mut c_void,
    revision: *mut u64,
    why: *mut sys::FailureSink,
) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || unsafe {
        let prefix = borrowed(prefix);
        let sessions = store.lock();
        let session = sessions.get(borrowed(name));
        set(revision, session.map_or(0, |session| session.revision));
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let found = session.into_iter().flat_map(|session| session.values.range::<[u8], _>(from));
        for (key, value) in found.take_while(|(key, _)| key.starts_with(prefix)) {
            if visit(context, lent(key), lent(value)) != 0 {
                break;
            }
        }
        Ok(sys::OK)
    })
}

extern "C" fn remove(raw: *mut sys::Store, name: sys::Bytes, why: *mut sys::FailureSink) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || unsafe {
        store.lock().remove(borrowed(name));
        Ok(sys::OK)
    })
}

extern "C" fn list(
    raw: *mut sys::Store,
    after: sys::Bytes,
    limit: u32,
    visit: sys::SessionNameVisit,
    context: *mut c_void,
    why: *mut sys::FailureSink,
) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || unsafe {
        let after = borrowed(after);
        let from = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
        let sessions = store.lock();
        let found = sessions.range::<[u8], _>((from, Bound::Unbounded)).filter(|(_, session)| session.revision > 0);
        for (name, session) in found.take(limit as usize) {
            if visit(context, lent(name), session.revision) != 0 {
                break;
            }
        }
        Ok(sys::OK)
    })
}

extern "C" fn tier(_config: sys::Bytes, facet: u32, tier: *mut u32, _why: *mut sys::FailureSink) -> sys::Status {
    if facet != sys::FACET_SESSION {
        return sys::E_UNSUPPORTED;
    }
    unsafe { *tier = sys::TIER_INLINE };
    sys::OK
}

extern "C" fn open(
    host: *const sys::HostRoot,
    _config: sys::Bytes,
    store: *mut *mut sys::Store,
    why: *mut sys::FailureSink,
) -> sys::Status {
    guard(host, why, || {
        let made = Box::new(Store { host, sessions: Mutex::default() });
        unsafe { *store = Box::into_raw(made) as *mut sys::Store };
        Ok(sys::OK)
    })
}

extern "C" fn close(raw: *mut sys::Store) {
    let host = unsafe { Store::of(raw) }.host;
    guard(host, std::ptr::null_mut(), || {
        drop(unsafe { Box::from_raw(raw as *mut Store) });
        Ok(sys::OK)
    });
}

extern "C" fn describe(raw: *mut sys::Store, json: *mut sys::Sink, why: *mut sys::FailureSink) -> sys::Status {
    let store = unsafe { Store::of(raw) };
    guard(store.host, why, || {
        let count = store.lock().len();
        Ok(sink_write(store.host, json, format!("{{\"sessions\":{}}}", count).as_bytes()))
    })
}

static STORAGE: sys::StorageTable = sys::StorageTable {
    struct_size: std::mem::size_of::<sys::StorageTable>() as u32,
    facets: 1 << sys::FACET_SESSION,
    tier,
    open,
    close,
    describe,
};

static SESSIONS: sys::SessionTable = sys::SessionTable {
    struct_size: std::mem::size_of::<sys::SessionTable>() as u32,
    reserved0: 0,
    commit,
    get,
    scan,
    remove,
    list,
};

pawl::plugin! {
    manifest: include_str!("../manifest.json"),
    vendor: "@VENDOR@",
    interfaces: [Interface::new(sys::FACTORY_STORAGE, &STORAGE), Interface::new(sys::FACTORY_SESSION, &SESSIONS)],
}
