// SPDX-License-Identifier: MIT
use crate::error::{check, Error, Result, EINVAL};
use crate::sink::{RawOutput, Sink};
use guesttrace_sys as sys;
use std::any::Any;
use std::ffi::{c_char, CString};
use std::io::Write;
use std::ptr;
use std::sync::Arc;

/// A piece of the guest's RAM.
#[derive(Clone)]
pub struct Memory {
    slot: sys::gt_memory_slot,
    /// Keeps the memory where it is.
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: `new` demands memory that any thread may reach.
unsafe impl Send for Memory {}
unsafe impl Sync for Memory {}

impl Memory {
    /// `bytes` of RAM at guest physical address `gpa` lie at `host`.
    ///
    /// # Safety
    ///
    /// From any thread, `host` must be readable and writable for `bytes` until
    /// `owner` is dropped, which happens when no `Host` has the memory any more.
    /// Guests may change it meanwhile: the library copies before it looks.
    pub unsafe fn new(
        gpa: u64,
        host: *mut u8,
        bytes: u64,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Memory {
        Memory {
            slot: sys::gt_memory_slot {
                gpa,
                bytes,
                host: host.cast(),
                read_only: false,
                access: ptr::null(),
            },
            _owner: owner,
        }
    }
}

impl Memory {
    /// Nothing is written there, whatever the guest's page tables allow. Then it
    /// need not be writable: memory that several VMs share must not be.
    pub fn read_only(mut self) -> Memory {
        self.slot.read_only = true;
        self
    }

    /// It may be protected, cut or unmapped at any time: the kernel copies it, by
    /// two system calls for each copy, and what it cannot copy is not there.
    pub fn checked(mut self) -> Memory {
        // SAFETY: a constant of the library.
        self.slot.access = unsafe { ptr::addr_of!(sys::gt_memory_checked) };
        self
    }

    /// GPA, address in this process and bytes.
    pub fn place(&self) -> (u64, usize, u64) {
        (self.slot.gpa, self.slot.host as usize, self.slot.bytes)
    }
}

/// What the guest speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Rings in guest memory: everything that guesttrace can do.
    #[default]
    Native,
    /// That of hyperlight-guest-tracing 0.11.
    Hyperlight0_11,
    /// That of hyperlight-guest-tracing 0.12 and later.
    Hyperlight0_12,
}

impl Wire {
    fn as_c(self) -> sys::gt_enum {
        match self {
            Wire::Native => sys::GT_WIRE_NATIVE,
            Wire::Hyperlight0_11 => sys::GT_WIRE_HYPERLIGHT_0_11,
            Wire::Hyperlight0_12 => sys::GT_WIRE_HYPERLIGHT_0_12,
        }
    }
}

/// What a [`Host`] is made of. The default has no memory, one vCPU, the native
/// wire, every level, a trace of its own, and neither sinks nor a capture.
#[derive(Default)]
pub struct Options {
    /// At most 8 pieces that do not overlap.
    pub memory: Vec<Memory>,
    /// 0: 1.
    pub vcpus: u32,
    pub sinks: Vec<Sink>,
    /// Where the capture goes.
    pub capture: Option<Box<dyn Write + Send>>,
    /// See [`Host::set_filter`].
    pub filter: Option<String>,
    pub wire: Wire,
    /// On a Hyperlight wire: take batches on port 104 only.
    pub no_piggyback: bool,
    pub guest_name: Option<String>,
    pub vm_name: Option<String>,
    pub backend: Option<String>,
    /// W3C Trace Context: the span above the run.
    pub traceparent: Option<String>,
    pub tracestate: Option<String>,
    /// No other VM has it.
    pub vm_id: Option<String>,
    pub guest_build_id: Option<String>,
    pub host_name: Option<String>,
}

/// Why a vCPU left the guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    #[default]
    Other,
    /// OUT to a port, of `width` bytes, once.
    Out {
        port: u16,
        width: u8,
    },
    /// IN, or a string instruction.
    OtherIo {
        port: u16,
        width: u8,
    },
    Mmio,
    Halt,
    Shutdown,
    Exception,
    Interrupted,
    Timeout,
    Error,
}

/// What the VMM knows of one VM exit, read from the vCPU once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    pub reason: Reason,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub cr0: u64,
    pub cr3: u64,
    pub cr4: u64,
    pub efer: u64,
    /// Guest TSC less host TSC since the last entry; None: the VMM cannot know it.
    /// On the Hyperlight wires it is then estimated.
    pub tsc_offset: Option<i64>,
    /// Guest TSC over host TSC, times 2 to the power of `tsc_ratio_shift`; 0: they
    /// run at the same rate.
    pub tsc_ratio: u64,
    pub tsc_ratio_shift: u32,
    /// How long the vCPU's thread has been ready without running, in all.
    pub waited_ns: u64,
}

impl Exit {
    fn as_c(&self) -> sys::gt_exit {
        let (reason, port, width_bytes, out) = match self.reason {
            Reason::Other => (sys::GT_EXIT_OTHER, 0, 0, false),
            Reason::Out { port, width } => (sys::GT_EXIT_IO, port, width, true),
            Reason::OtherIo { port, width } => (sys::GT_EXIT_IO, port, width, false),
            Reason::Mmio => (sys::GT_EXIT_MMIO, 0, 0, false),
            Reason::Halt => (sys::GT_EXIT_HALT, 0, 0, false),
            Reason::Shutdown => (sys::GT_EXIT_SHUTDOWN, 0, 0, false),
            Reason::Exception => (sys::GT_EXIT_EXCEPTION, 0, 0, false),
            Reason::Interrupted => (sys::GT_EXIT_INTERRUPTED, 0, 0, false),
            Reason::Timeout => (sys::GT_EXIT_TIMEOUT, 0, 0, false),
            Reason::Error => (sys::GT_EXIT_ERROR, 0, 0, false),
        };
        sys::gt_exit {
            size: std::mem::size_of::<sys::gt_exit>(),
            reason,
            port,
            width_bytes,
            out,
            count: 1,
            r8: self.r8,
            r9: self.r9,
            r10: self.r10,
            cr0: self.cr0,
            cr3: self.cr3,
            cr4: self.cr4,
            efer: self.efer,
            tsc_offset: self.tsc_offset.unwrap_or(sys::GT_TSC_OFFSET_UNKNOWN),
            tsc_ratio: self.tsc_ratio,
            tsc_ratio_shift: self.tsc_ratio_shift,
            waited_ns: self.waited_ns,
        }
    }
}

/// What [`Host::exit`] says of an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not ours, or not ours alone: the VMM handles it.
    NotOurs,
    /// The VMM need not look at it.
    Taken,
    /// Likewise; a thread that drains should run.
    Wake,
}

/// How the guest went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Halted,
    /// Abort or exception.
    Aborted,
    /// Triple fault.
    Shutdown,
    Timeout,
    /// By the host's user.
    Interrupted,
    /// The VMM itself.
    Failed,
}

impl Ending {
    fn as_c(self) -> sys::gt_enum {
        match self {
            Ending::Halted => sys::GT_ENDING_HALTED,
            Ending::Aborted => sys::GT_ENDING_ABORTED,
            Ending::Shutdown => sys::GT_ENDING_SHUTDOWN,
            Ending::Timeout => sys::GT_ENDING_TIMEOUT,
            Ending::Interrupted => sys::GT_ENDING_INTERRUPTED,
            Ending::Failed => sys::GT_ENDING_FAILED,
        }
    }
}

/// The host side of one VM. Its functions may be called from any thread. What a
/// guest does wrong is counted, reported by the error, and never keeps the host
/// from going on.
pub struct Host {
    raw: *mut sys::gt_host,
    sinks: Vec<Sink>,
    capture: Option<RawOutput>,
    memory: Vec<Memory>,
}

// SAFETY: a lock inside of `raw` orders all calls, those of the sinks and the
// capture too; the other members are reached with `&mut self` alone.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

fn text(text: &Option<String>) -> Result<Option<CString>> {
    let text = text.as_deref().map(CString::new).transpose();
    text.map_err(|_| Error::new(EINVAL))
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

fn slots(memory: &[Memory]) -> Result<[sys::gt_memory_slot; sys::GT_MEMORY_SLOTS_MAX]> {
    const NONE: sys::gt_memory_slot = sys::gt_memory_slot {
        gpa: 0,
        bytes: 0,
        host: ptr::null_mut(),
        read_only: false,
        access: ptr::null(),
    };
    let mut slots = [NONE; sys::GT_MEMORY_SLOTS_MAX];
    if memory.len() > slots.len() {
        return Err(Error::new(EINVAL));
    }
    for (slot, one) in slots.iter_mut().zip(memory) {
        *slot = one.slot;
    }
    Ok(slots)
}

impl Host {
    /// Nothing of the guest is read before its first exit.
    pub fn new(options: Options) -> Result<Host> {
        let filter = text(&options.filter)?;
        let guest_name = text(&options.guest_name)?;
        let vm_name = text(&options.vm_name)?;
        let backend = text(&options.backend)?;
        let traceparent = text(&options.traceparent)?;
        let tracestate = text(&options.tracestate)?;
        let vm_id = text(&options.vm_id)?;
        let guest_build_id = text(&options.guest_build_id)?;
        let host_name = text(&options.host_name)?;
        let sinks: Vec<_> = options.sinks.iter().map(Sink::as_raw).collect();
        let capture = options.capture.map(RawOutput::new);
        // SAFETY: zeros are the defaults of this struct.
        let mut c: sys::gt_host_options = unsafe { std::mem::zeroed() };
        c.size = std::mem::size_of_val(&c);
        c.memory = slots(&options.memory)?;
        c.memory_slots = options.memory.len() as u32;
        c.vcpus = options.vcpus;
        c.sinks = sinks.as_ptr();
        c.sink_count = sinks.len();
        if let Some(capture) = &capture {
            c.capture = capture.as_c();
        }
        c.filter = pointer(&filter);
        c.wire = options.wire.as_c();
        c.no_piggyback = options.no_piggyback;
        c.guest_name = pointer(&guest_name);
        c.vm_name = pointer(&vm_name);
        c.backend = pointer(&backend);
        c.traceparent = pointer(&traceparent);
        c.tracestate = pointer(&tracestate);
        c.vm_id = pointer(&vm_id);
        c.guest_build_id = pointer(&guest_build_id);
        c.host_name = pointer(&host_name);
        let mut raw = ptr::null_mut();
        // SAFETY: options and texts are copied; sinks, capture and memory are kept
        // until the host is freed.
        check(unsafe { sys::gt_host_new(&c, &mut raw) })?;
        Ok(Host { raw, sinks: options.sinks, capture, memory: options.memory })
    }

    /// The vCPU is about to run. Without it the trace has no stretches of the
    /// host. `waited_ns` as in [`Exit`].
    pub fn enter(&self, vcpu: u32, waited_ns: u64) -> Result<()> {
        // SAFETY: `raw` lives until drop(); so in all functions below.
        check(unsafe { sys::gt_host_enter(self.raw, vcpu, waited_ns) }).map(|_| ())
    }

    /// The vCPU has left the guest and stands still. Takes the guest's records if
    /// the exit asks for it.
    pub fn exit(&self, vcpu: u32, exit: &Exit) -> Result<Answer> {
        let answer = check(unsafe { sys::gt_host_exit(self.raw, vcpu, &exit.as_c()) })?;
        Ok(match answer {
            sys::GT_ANSWER_TAKEN => Answer::Taken,
            sys::GT_ANSWER_WAKE => Answer::Wake,
            _ => Answer::NotOurs,
        })
    }

    /// Takes a batch of a Hyperlight wire that came out of the guest as bytes, not
    /// by its memory and registers. `guest_tsc` is the TSC when it handed the batch
    /// over, 0 if nobody read it; `tsc_offset` as in [`Exit`]. Such a host needs no
    /// memory.
    pub fn batch(
        &self,
        vcpu: u32,
        bytes: &[u8],
        guest_tsc: u64,
        tsc_offset: Option<i64>,
    ) -> Result<()> {
        let offset = tsc_offset.unwrap_or(sys::GT_TSC_OFFSET_UNKNOWN);
        let (start, count) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: the bytes are copied.
        check(unsafe { sys::gt_host_batch(self.raw, vcpu, start, count, guest_tsc, offset) })
            .map(|_| ())
    }

    /// The guest's RAM lies elsewhere from now on; with none, nothing of the guest
    /// is read or written until there is some again.
    pub fn set_memory(&mut self, memory: Vec<Memory>) -> Result<()> {
        let slots = slots(&memory)?;
        // SAFETY: the new memory is kept, the old one dropped when nobody reads it.
        check(unsafe { sys::gt_host_set_memory(self.raw, slots.as_ptr(), memory.len() as u32) })?;
        self.memory = memory;
        Ok(())
    }

    /// Takes what all rings hold; the guest may be running. Whether there was
    /// anything.
    pub fn drain(&self) -> Result<bool> {
        Ok(check(unsafe { sys::gt_host_drain(self.raw) })? > 0)
    }

    /// With `want` the guest says when it has filled a block: see
    /// [`Answer::Wake`]. Whether there is one already.
    pub fn want_wake(&self, want: bool) -> Result<bool> {
        Ok(check(unsafe { sys::gt_host_want_wake(self.raw, want) })? > 0)
    }

    /// Reads the clocks: every few milliseconds while guests seldom exit.
    pub fn sample(&self) -> Result<()> {
        check(unsafe { sys::gt_host_sample(self.raw) }).map(|_| ())
    }

    /// The VMM itself does something for this vCPU, from now until the result is
    /// dropped: a span of the trace.
    pub fn work(&self, vcpu: u32, name: &str) -> Work<'_> {
        let name = CString::new(name.replace('\0', "")).unwrap_or_default();
        let number = unsafe { sys::gt_host_work_begin(self.raw, vcpu, name.as_ptr()) };
        Work { host: self, number }
    }

    /// Writes a capture of what the rings hold at this moment; neither the guest
    /// nor the rest of the trace notices.
    pub fn snapshot(&self, to: impl Write + Send + 'static) -> Result<()> {
        let mut output = RawOutput::new(to);
        check(unsafe { sys::gt_host_snapshot(self.raw, &output.as_c()) })?;
        output.flush()
    }

    /// Memory and registers were replaced by those of a snapshot: a new life of
    /// the guest begins. `state` is that of the restored vCPU; `control` is what
    /// [`Host::control`] said when the snapshot was made, 0: as it is now.
    pub fn resumed(&self, vcpu: u32, state: &Exit, control: u64) -> Result<()> {
        check(unsafe { sys::gt_host_resumed(self.raw, vcpu, &state.as_c(), control) }).map(|_| ())
    }

    /// Address in the guest of the announced control block; 0: none.
    pub fn control(&self) -> u64 {
        unsafe { sys::gt_host_control(self.raw) }
    }

    /// Switches sites on and off: directives separated by commas, `LEVEL` for all
    /// targets and `TARGET=LEVEL`; the guest may be running. It has no effect on a
    /// Hyperlight wire.
    pub fn set_filter(&self, filter: &str) -> Result<()> {
        let filter = CString::new(filter).map_err(|_| Error::new(EINVAL))?;
        check(unsafe { sys::gt_host_set_filter(self.raw, filter.as_ptr()) }).map(|_| ())
    }

    /// The guest is gone: takes what its memory still holds, ends the open spans,
    /// the capture and the run. The sinks come back, for another run or for
    /// [`Sink::finish`], with the first error of capture and sinks.
    pub fn end(mut self, ending: Ending, status: u32, message: &str) -> (Vec<Sink>, Result<()>) {
        let message = CString::new(message.replace('\0', "")).unwrap_or_default();
        let code =
            unsafe { sys::gt_host_finish(self.raw, ending.as_c(), status, message.as_ptr()) };
        let mut result = check(code).map(|_| ());
        if let Some(capture) = &mut self.capture {
            result = result.and(capture.flush());
        }
        (std::mem::take(&mut self.sinks), result)
    }

    /// [`Host::end`], and finishes the sinks; the first error of all.
    pub fn finish(self, ending: Ending, status: u32, message: &str) -> Result<()> {
        let (sinks, mut result) = self.end(ending, status, message);
        for sink in sinks {
            result = result.and(sink.finish());
        }
        result
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: freed once; sinks, capture and memory are dropped behind it.
        unsafe { sys::gt_host_free(self.raw) }
    }
}

/// Work of the VMM's, over when this is dropped.
pub struct Work<'a> {
    host: &'a Host,
    number: u64,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        // SAFETY: a number of this host's, or 0.
        unsafe { sys::gt_host_work_end(self.host.raw, self.number) };
    }
}
