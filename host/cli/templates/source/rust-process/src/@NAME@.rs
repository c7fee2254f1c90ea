//! @NAME@.rs: the process type @NAME@.approval, which waits for a week for somebody's word on a request.
use pawl::{Ended, Failure, Process, ProcessType};
use std::time::Duration;

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

// Run from the top again and again: between two runs nothing of it lives but the journal. What must wait is an Err, which
// `?` returns; destructors run then, and may free memory, nothing else.
fn approval(p: &Process) -> Ended {
    p.set_status(b"{\"step\":\"waiting for a word\"}")?;
    let yes = p.wait_signal("approve");
    let no = p.wait_signal("refuse");
    let late = p.start_timer(WEEK);
    match p.wait_any(&[yes, no, late])? {
        1 => return Err(Failure::terminal("@NAME@.refused", "somebody said no").into()),
        2 => return Err(Failure::terminal("@NAME@.late", "nobody said anything for a week").into()),
        _ => (),
    }
    let request = std::str::from_utf8(p.input())?;
    let word = std::str::from_utf8(p.result(yes)?)?;
    Ok(format!("{{\"request\":{},\"approved\":{}}}", request, word).into_bytes())
}

// A program that does other commands, or the same ones in another order, is a new revision: add a line, and keep the old
// one while processes that began with it are unfinished.
pawl::plugin! {
    manifest: include_str!("../manifest.json"),
    vendor: "@VENDOR@",
    processes: [ProcessType { name: "@NAME@.approval", revision: 1, program: approval }],
}
