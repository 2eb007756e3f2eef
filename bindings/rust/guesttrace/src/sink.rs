// SPDX-License-Identifier: MIT
use crate::error::{check, Error, Result, EIO};
use crate::view::{Event, HostSpan, Loss, Span, Summary, Trace};
use guesttrace_sys as sys;
use std::ffi::{c_int, c_void};
use std::io::{self, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// Where finished spans go.
///
/// One sink may be shown several runs, one behind the other. Dropping it
/// releases it; [`Sink::finish`] says what failed late.
pub struct Sink {
    raw: *mut sys::gt_sink,
    /// Behind the writer that `raw` was given; NULL: it has none.
    output: *mut Output,
}

// SAFETY: all calls for one sink come one after the other, and what a sink is
// made of, Rust's writer or observer or the C library's own, may move between
// threads.
unsafe impl Send for Sink {}

struct Output(Box<dyn Write + Send>);

pub(crate) fn code_of(error: &io::Error) -> c_int {
    match error.raw_os_error() {
        Some(errno) if errno > 0 => -errno,
        _ => EIO,
    }
}

/// What a callback returns to C: a panic must not cross it.
pub(crate) fn guard(call: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(EIO)
}

unsafe extern "C" fn write(context: *mut c_void, bytes: *const c_void, count: usize) -> c_int {
    guard(|| {
        if count == 0 {
            return 0;
        }
        let output = &mut *context.cast::<Output>();
        let bytes = std::slice::from_raw_parts(bytes.cast(), count);
        output.0.write_all(bytes).map_or_else(|error| code_of(&error), |()| 0)
    })
}

/// A writer as the C library takes it; `drop_output` is to be called.
pub(crate) struct RawOutput(*mut Output);

impl RawOutput {
    pub(crate) fn new(to: impl Write + Send + 'static) -> RawOutput {
        RawOutput(Box::into_raw(Box::new(Output(Box::new(to)))))
    }

    pub(crate) fn as_c(&self) -> sys::gt_output {
        sys::gt_output { write: Some(write), context: self.0.cast() }
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        // SAFETY: nobody else has the writer while `self` is borrowed.
        unsafe { (*self.0).0.flush() }.map_err(|error| Error::new(code_of(&error)))
    }

    fn into_raw(self) -> *mut Output {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }
}

// SAFETY: the writer inside is Send, and reached through `self` alone.
unsafe impl Send for RawOutput {}

impl Drop for RawOutput {
    fn drop(&mut self) {
        // SAFETY: made by Box::into_raw() in new().
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl Sink {
    fn made(new: sys::gt_new, to: impl Write + Send + 'static) -> Result<Sink> {
        let output = RawOutput::new(to);
        let mut raw = ptr::null_mut();
        // SAFETY: the output lives as long as the sink: see drop().
        check(unsafe { new(&output.as_c(), &mut raw) })?;
        Ok(Sink { raw, output: output.into_raw() })
    }

    /// Text: the spans and events of each trace, indented.
    pub fn tree(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_tree_new, to)
    }

    /// Text: header, tree, names with times, where the time went, losses.
    pub fn report(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_report_new, to)
    }

    /// The report as one JSON object.
    pub fn report_json(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_report_json_new, to)
    }

    /// OTLP as JSON, one `TracesData` object per line.
    pub fn otlp_json(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_otlp_json_new, to)
    }

    /// OTLP as protobuf.
    pub fn otlp_protobuf(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_otlp_protobuf_new, to)
    }

    /// Perfetto's protobuf trace.
    pub fn perfetto(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_perfetto_new, to)
    }

    /// Chrome's JSON trace events.
    pub fn chrome(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_chrome_new, to)
    }

    /// One line per stack, for flame graphs.
    pub fn folded(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_folded_new, to)
    }

    /// One line per span.
    pub fn csv(to: impl Write + Send + 'static) -> Result<Sink> {
        Sink::made(sys::gt_csv_new, to)
    }

    /// A sink of your own.
    pub fn observer(observer: impl Observer + 'static) -> Sink {
        let sink = Box::new(ObserverSink { base: OBSERVER, observer: Box::new(observer) });
        Sink { raw: Box::into_raw(sink).cast(), output: ptr::null_mut() }
    }

    /// Writes what is left, and says what failed late. For OTLP over HTTP it
    /// waits a while for the endpoint.
    pub fn finish(self) -> Result<()> {
        // SAFETY: `raw` is a sink until drop(); its functions may be NULL.
        unsafe {
            if let Some(finish) = (*self.raw).finish {
                check(finish(self.raw))?;
            }
            match self.output.as_mut() {
                Some(output) => output.0.flush().map_err(|error| Error::new(code_of(&error))),
                None => Ok(()),
            }
        }
    }

    pub(crate) fn as_raw(&self) -> *mut sys::gt_sink {
        self.raw
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // SAFETY: made by a constructor that was successful, and freed once. The
        // writer is freed behind it: `free` may still use it.
        unsafe {
            if let Some(free) = (*self.raw).free {
                free(self.raw);
            }
            if !self.output.is_null() {
                drop(Box::from_raw(self.output));
            }
        }
    }
}

/// OTLP over HTTP, to a collector: `export_otlp.h` says what the fields mean.
#[cfg(feature = "otlp")]
#[derive(Clone, Debug, Default)]
pub struct OtlpHttp {
    /// Used as it is: `http://localhost:4318/v1/traces`.
    pub url: String,
    /// `Name: value`, of each request.
    pub headers: Vec<String>,
    /// Where what cannot be sent is kept; none: it is dropped.
    pub spool_directory: Option<String>,
    /// Without the runs of the guest, its exits and the VMM's own work.
    pub no_host_spans: bool,
    /// How long `finish` waits; 0: 5 seconds.
    pub finish_ms: u32,
}

#[cfg(feature = "otlp")]
impl Sink {
    /// Sends spans by a thread of its own.
    pub fn otlp_http(options: &OtlpHttp) -> Result<Sink> {
        let text =
            |text: &str| std::ffi::CString::new(text).map_err(|_| Error::new(crate::error::EINVAL));
        let url = text(&options.url)?;
        let spool = options.spool_directory.as_deref().map(text).transpose()?;
        let headers = options.headers.iter().map(|one| text(one)).collect::<Result<Vec<_>>>()?;
        let header_pointers: Vec<_> = headers.iter().map(|one| one.as_ptr()).collect();
        // SAFETY: zeros are the defaults of this struct.
        let mut c: sys::gt_otlp_http_options = unsafe { std::mem::zeroed() };
        c.size = std::mem::size_of_val(&c);
        c.url = url.as_ptr();
        c.headers = header_pointers.as_ptr();
        c.header_count = header_pointers.len();
        c.spool_directory = spool.as_ref().map_or(ptr::null(), |one| one.as_ptr());
        c.no_host_spans = options.no_host_spans;
        c.finish_ms = options.finish_ms;
        let mut raw = ptr::null_mut();
        // SAFETY: all of the options is copied.
        check(unsafe { sys::gt_otlp_http_new(&c, &mut raw) })?;
        Ok(Sink { raw, output: ptr::null_mut() })
    }
}

/// A sink of your own: it is shown spans in host time, and knows nothing of rings
/// and batches. What it is shown is borrowed until the function returns. An error
/// ends it: it is not called again.
#[allow(unused_variables)]
pub trait Observer: Send {
    fn begin(&mut self, trace: Trace<'_>) -> io::Result<()> {
        Ok(())
    }
    /// A span was opened; in the order of time per vCPU.
    fn open(&mut self, trace: Trace<'_>, span: Span<'_>) -> io::Result<()> {
        Ok(())
    }
    /// A span has ended and is complete.
    fn close(&mut self, trace: Trace<'_>, span: Span<'_>) -> io::Result<()> {
        Ok(())
    }
    /// At once; one that its span has kept is shown with that again.
    fn event(&mut self, trace: Trace<'_>, event: Event<'_>) -> io::Result<()> {
        Ok(())
    }
    fn counter(&mut self, trace: Trace<'_>, event: Event<'_>) -> io::Result<()> {
        Ok(())
    }
    fn host_span(&mut self, trace: Trace<'_>, span: HostSpan<'_>) -> io::Result<()> {
        Ok(())
    }
    fn loss(&mut self, trace: Trace<'_>, loss: Loss<'_>) -> io::Result<()> {
        Ok(())
    }
    fn end(&mut self, trace: Trace<'_>, summary: Summary<'_>) -> io::Result<()> {
        Ok(())
    }
    /// Once, behind the last run.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[repr(C)]
struct ObserverSink {
    base: sys::gt_sink,
    observer: Box<dyn Observer>,
}

unsafe fn observe(
    sink: *mut sys::gt_sink,
    call: impl FnOnce(&mut dyn Observer) -> io::Result<()>,
) -> c_int {
    let sink = sink.cast::<ObserverSink>();
    guard(|| call(&mut *(*sink).observer).map_or_else(|error| code_of(&error), |()| 0))
}

macro_rules! shows {
    ($($name:ident: $raw:ident as $view:ident,)*) => {
        $(unsafe extern "C" fn $name(
            sink: *mut sys::gt_sink,
            trace: *const sys::gt_trace,
            what: *const sys::$raw,
        ) -> c_int {
            observe(sink, |observer| observer.$name(Trace::new(trace), $view::new(what)))
        })*
    };
}
shows! {
    open: gt_span_view as Span,
    close: gt_span_view as Span,
    event: gt_event_view as Event,
    counter: gt_event_view as Event,
    host_span: gt_host_span_view as HostSpan,
    loss: gt_loss_view as Loss,
    end: gt_summary as Summary,
}

unsafe extern "C" fn begin(sink: *mut sys::gt_sink, trace: *const sys::gt_trace) -> c_int {
    observe(sink, |observer| observer.begin(Trace::new(trace)))
}

unsafe extern "C" fn finish(sink: *mut sys::gt_sink) -> c_int {
    observe(sink, |observer| observer.finish())
}

unsafe extern "C" fn free(sink: *mut sys::gt_sink) {
    let sink = Box::from_raw(sink.cast::<ObserverSink>());
    guard(|| {
        drop(sink);
        0
    });
}

const OBSERVER: sys::gt_sink = sys::gt_sink {
    begin: Some(begin),
    open: Some(open),
    close: Some(close),
    event: Some(event),
    counter: Some(counter),
    host_span: Some(host_span),
    end: Some(end),
    finish: Some(finish),
    free: Some(free),
    loss: Some(loss),
};
