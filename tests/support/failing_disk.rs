//! A library that is put before the C library (`LD_PRELOAD`) and fails the calls that a test names,
//! as a broken disk does. `tests/incident/disk.rs` builds it with `rustc`: the package itself forbids
//! the unsafe code that this needs.
//!
//! The file that `FAILING_DISK` names holds a fault, `CALL END ERRNO PASS`: calls of `CALL` (`read`,
//! `write` or `fsync`) on files whose path ends with `END` fail with `ERRNO`, apart from the first
//! `PASS` ones of the process. Without the file nothing fails. Each failure adds a byte to the file of
//! that name with `.hits`.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_long, c_void};
use std::fs;
use std::io::Write;
use std::mem::transmute;
use std::sync::atomic::{AtomicUsize, Ordering};

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn __errno_location() -> *mut c_int;
}

type Transfer = extern "C" fn(c_int, *mut c_void, usize) -> isize;
type TransferAt = extern "C" fn(c_int, *mut c_void, usize, c_long) -> isize;
type Flush = extern "C" fn(c_int) -> c_int;

thread_local! {
    /// Set while this thread looks for a fault: the calls that this takes never fail.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// The calls that the fault has let pass.
static PASSED: AtomicUsize = AtomicUsize::new(0);

/// Defines a call that fails where a fault says so, and is the C library's otherwise.
macro_rules! call {
    ($kind:literal $name:ident $text:literal ($file:ident $(, $argument:ident: $type:ty)*) -> $result:ty, $function:ty) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($file: c_int $(, $argument: $type)*) -> $result {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            if let Some(error) = fault($kind, $file) {
                unsafe { *__errno_location() = error };
                return -1;
            }
            let mut next = NEXT.load(Ordering::Relaxed);
            if next == 0 {
                // The next library's (`RTLD_NEXT`).
                next = unsafe { dlsym(-1_isize as *mut c_void, $text.as_ptr()) } as usize;
                NEXT.store(next, Ordering::Relaxed);
            }
            let next = unsafe { transmute::<usize, $function>(next) };
            next($file $(, $argument)*)
        }
    };
}

call!("read" read c"read" (file, bytes: *mut c_void, count: usize) -> isize, Transfer);
call!("write" write c"write" (file, bytes: *mut c_void, count: usize) -> isize, Transfer);
call!("read" pread64 c"pread64" (file, bytes: *mut c_void, count: usize, at: c_long) -> isize, TransferAt);
call!("write" pwrite64 c"pwrite64" (file, bytes: *mut c_void, count: usize, at: c_long) -> isize, TransferAt);
call!("fsync" fsync c"fsync" (file) -> c_int, Flush);
call!("fsync" fdatasync c"fdatasync" (file) -> c_int, Flush);

/// With which error a call on a file fails, if it does.
fn fault(kind: &str, file: c_int) -> Option<c_int> {
    if LOOKING.replace(true) {
        return None;
    }
    let error = look(kind, file);
    LOOKING.set(false);
    error
}

fn look(kind: &str, file: c_int) -> Option<c_int> {
    let control = std::env::var("FAILING_DISK").ok()?;
    let fault = fs::read_to_string(&control).ok()?;
    let words: Vec<&str> = fault.split_whitespace().collect();
    let [name, end, error, pass] = words[..] else { return None };
    let path = fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
    if name != kind || !path.to_str()?.ends_with(end) {
        return None;
    }
    if PASSED.fetch_add(1, Ordering::Relaxed) < pass.parse().ok()? {
        return None;
    }
    let hits = fs::File::options().create(true).append(true).open(control + ".hits");
    hits.and_then(|mut hits| hits.write_all(b".")).ok()?;
    error.parse().ok()
}
