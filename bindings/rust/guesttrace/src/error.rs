// SPDX-License-Identifier: MIT
use std::ffi::CStr;
use std::fmt;

/// Why the library refused: the negative code of a C function, an errno or one
/// of `enum gt_error`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(i32);

pub type Result<T> = std::result::Result<T, Error>;

pub(crate) const EIO: i32 = -5;
pub(crate) const EINVAL: i32 = -22;

impl Error {
    /// The code; always below 0.
    pub fn code(self) -> i32 {
        self.0
    }

    pub(crate) const fn new(code: i32) -> Error {
        Error(code)
    }
}

/// What a C function returned that is at least 0, or the error.
pub(crate) fn check(code: i32) -> Result<i32> {
    if code < 0 {
        Err(Error(code))
    } else {
        Ok(code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the text is static and never NULL.
        let text = unsafe { CStr::from_ptr(guesttrace_sys::gt_error_text(self.0)) };
        to.write_str(&text.to_string_lossy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({self})", self.0)
    }
}

impl std::error::Error for Error {}
