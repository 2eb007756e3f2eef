// SPDX-License-Identifier: MIT
use crate::hook;
use guesttrace::{Ending, Error, Exit, Host, Memory, Options, Reason, Result, Wire};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Port by which a guest says that it gives up.
const ABORT: u16 = 102;

/// Traces one sandbox: from its making, through calls and restores, to its end.
///
/// Clones are the same tracer. An [`Observer`](guesttrace::Observer) of its sinks
/// must not call it.
#[derive(Clone)]
pub struct Tracer(Arc<Mutex<State>>);

struct State {
    host: Option<Host>,
    native: bool,
    /// Where the guest's memory lies: GPA, host address, bytes.
    places: Vec<(u64, usize, u64)>,
    /// A snapshot has taken the place of registers and memory.
    restored: bool,
    ending: Ending,
    errors: u64,
    first_error: Option<Error>,
    result: Result<()>,
}

impl State {
    fn note<T>(&mut self, result: Result<T>) {
        if let Err(error) = result {
            self.errors += 1;
            self.first_error.get_or_insert(error);
        }
    }

    fn ask<T>(&mut self, call: impl FnOnce(&Host) -> Result<T>) {
        if let Some(result) = self.host.as_ref().map(call) {
            self.note(result);
        }
    }

    fn place(&mut self, memory: Vec<Memory>) {
        let places: Vec<_> = memory.iter().map(Memory::place).collect();
        if places == self.places {
            return;
        }
        if let Some(result) = self.host.as_mut().map(|host| host.set_memory(memory)) {
            self.note(result);
            self.places = places;
        }
    }

    fn end(&mut self, ending: Ending, message: &str) {
        if let Some(host) = self.host.take() {
            self.result = host.finish(ending, 0, message);
        }
    }
}

impl Tracer {
    /// The memory of `options` is not used: the hook says where it is. On the wire
    /// of version 0.11 or 0.12 both ways in work; the native one needs the hook.
    pub fn new(mut options: Options) -> Result<Tracer> {
        options.memory.clear();
        options.vcpus = 1;
        options.backend.get_or_insert_with(|| "hyperlight".into());
        let native = options.wire == Wire::Native;
        let state = State {
            host: Some(Host::new(options)?),
            native,
            places: Vec::new(),
            restored: false,
            ending: Ending::Halted,
            errors: 0,
            first_error: None,
            result: Ok(()),
        };
        Ok(Tracer(Arc::new(Mutex::new(state))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sandbox that is made on this thread while `make` runs is traced from then
    /// on, on whatever thread it is called. Needs the hook.
    pub fn watch<T>(&self, make: impl FnOnce() -> T) -> T {
        hook::watch(self, make)
    }

    /// The sandbox whose `interrupt_handle()` has this address is traced from now
    /// on, if it is not yet. Needs the hook.
    pub fn watch_vm(&self, vm: usize) {
        hook::bind(vm, self);
    }

    /// Makes a call into the guest where there is no hook: that it begins now keeps
    /// the bound of the times of its batches small.
    pub fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        self.state().ask(|host| host.enter(0, 0));
        call()
    }

    /// Takes a batch that the guest handed to a host function, with its TSC of that
    /// moment. Returns 0, or the negative code of what is wrong with it, which is
    /// counted.
    pub fn batch(&self, bytes: &[u8], guest_tsc: u64) -> i32 {
        let mut state = self.state();
        let Some(host) = &state.host else { return 0 };
        let result = host.batch(0, bytes, guest_tsc, None);
        let code = result.map_or_else(Error::code, |()| 0);
        state.note(result);
        code
    }

    /// On the native wire: which sites record, from now on. See
    /// [`Host::set_filter`].
    pub fn set_filter(&self, filter: &str) -> Result<()> {
        match self.state().host.as_ref() {
            Some(host) => host.set_filter(filter),
            None => Ok(()),
        }
    }

    /// On the native wire: shows what the guest has recorded so far. After each call
    /// and each fault this happens by itself.
    pub fn drain(&self) {
        self.state().ask(Host::drain);
    }

    /// A snapshot is about to be restored: a new life of the guest begins. With the
    /// hook of version 0.18 this happens by itself.
    pub fn restoring(&self) {
        let mut state = self.state();
        if state.native {
            state.ask(Host::drain);
        }
        state.place(Vec::new());
        state.restored = true;
    }

    /// How often the library refused something that the guest or the hook said, and
    /// what was the first. The run goes on.
    pub fn errors(&self) -> (u64, Option<Error>) {
        let state = self.state();
        (state.errors, state.first_error)
    }

    /// The run is over, at the latest when the sandbox is dropped: ends open spans,
    /// capture and sinks. Returns their first error; the same when called again.
    pub fn finish(&self) -> Result<()> {
        let mut state = self.state();
        let ending = state.ending;
        state.end(ending, "");
        state.result
    }

    /// [`Tracer::finish`] of a run that ended otherwise than its last exit says.
    pub fn finish_as(&self, ending: Ending, message: &str) -> Result<()> {
        let mut state = self.state();
        state.end(ending, message);
        state.result
    }

    pub(crate) fn entered(&self, memory: Vec<Memory>, now: &Exit) {
        let mut state = self.state();
        state.place(memory);
        if std::mem::take(&mut state.restored) {
            state.ask(|host| host.resumed(0, now, 0));
        }
        state.ending = Ending::Interrupted;
        state.ask(|host| host.enter(0, 0));
    }

    pub(crate) fn exited(&self, exit: &Exit) {
        let mut state = self.state();
        state.ask(|host| host.exit(0, exit));
        state.ending = match exit.reason {
            Reason::Halt => Ending::Halted,
            Reason::Out { port: ABORT, .. } => Ending::Aborted,
            Reason::Interrupted => Ending::Interrupted,
            _ => Ending::Failed,
        };
        // What leaves nothing behind in the rings: the guest may not go on.
        let goes_on = matches!(exit.reason, Reason::Out { port, .. } if port != ABORT);
        if state.native && !goes_on {
            state.ask(Host::drain);
        }
    }
}
