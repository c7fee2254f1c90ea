//! rust_layout.rs: prints where the members of the structs in abi/rust/sys.rs lie, as the golden file does.
fn main() {
    for line in pawl::sys::layout() {
        println!("{line}");
    }
}
