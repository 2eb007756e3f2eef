// SPDX-License-Identifier: MIT
//! From the hook in `hyperlight-host` to the tracer of that sandbox.
use crate::Tracer;
use guesttrace::{Exit, Memory};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

static TRACERS: LazyLock<RwLock<HashMap<usize, Tracer>>> = LazyLock::new(RwLock::default);

thread_local! {
    /// Who traces the sandboxes that are made on this thread.
    static WATCHING: RefCell<Vec<Tracer>> = const { RefCell::new(Vec::new()) };
}

struct Watching;

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHING.with_borrow_mut(Vec::pop);
    }
}

pub(crate) fn watch<T>(tracer: &Tracer, make: impl FnOnce() -> T) -> T {
    WATCHING.with_borrow_mut(|all| all.push(tracer.clone()));
    let _watching = Watching;
    make()
}

fn known(vm: usize) -> Option<Tracer> {
    TRACERS.read().unwrap_or_else(PoisonError::into_inner).get(&vm).cloned()
}

pub(crate) fn bind(vm: usize, tracer: &Tracer) {
    let mut all = TRACERS.write().unwrap_or_else(PoisonError::into_inner);
    all.entry(vm).or_insert_with(|| tracer.clone());
}

fn of(vm: usize) -> Option<Tracer> {
    if let Some(tracer) = known(vm) {
        return Some(tracer);
    }
    let tracer = WATCHING.with_borrow(|all| all.last().cloned())?;
    bind(vm, &tracer);
    Some(tracer)
}

pub fn enter(vm: usize, memory: impl Iterator<Item = Memory>, now: &Exit) {
    if let Some(tracer) = of(vm) {
        tracer.entered(memory.collect(), now);
    }
}

pub fn exit(vm: usize, exit: &Exit) {
    if let Some(tracer) = known(vm) {
        tracer.exited(exit);
    }
}

pub fn reset(vm: usize) {
    if let Some(tracer) = known(vm) {
        tracer.restoring();
    }
}

pub fn dropped(vm: usize) {
    let gone = TRACERS.write().unwrap_or_else(PoisonError::into_inner).remove(&vm);
    if let Some(tracer) = gone {
        // Its error is what finish() returns when it is called.
        let _ = tracer.finish();
    }
}

/// Sets the hook of a patched `hyperlight-host`, for all sandboxes of this process
/// and once, before the first of them is made. Only those of
/// [`Tracer::watch`](crate::Tracer::watch) are traced.
#[macro_export]
macro_rules! install_hook {
    () => {{
        use ::hyperlight_host::vcpu_hook::{ExitReason, VcpuEvent, VcpuState, VCPU_HOOK};

        fn state(from: &VcpuState, reason: $crate::Reason) -> $crate::Exit {
            $crate::Exit {
                reason,
                r8: from.r8,
                r9: from.r9,
                r10: from.r10,
                cr0: from.cr0,
                cr3: from.cr3,
                cr4: from.cr4,
                efer: from.efer,
                tsc_offset: from.tsc_offset,
                ..$crate::Exit::default()
            }
        }

        fn reason(from: ExitReason) -> $crate::Reason {
            match from {
                ExitReason::Halt => $crate::Reason::Halt,
                ExitReason::IoOut { port, width } => $crate::Reason::Out { port, width },
                ExitReason::Mmio => $crate::Reason::Mmio,
                ExitReason::Cancelled => $crate::Reason::Interrupted,
                _ => $crate::Reason::Other,
            }
        }

        fn hook(vm: usize, event: VcpuEvent<'_>) {
            match event {
                VcpuEvent::Enter { memory, state: now } => $crate::enter(
                    vm,
                    // SAFETY: the patch says so of `GuestMemory`.
                    memory.iter().map(|one| unsafe {
                        let (host, owner) = (one.host, one.owner.clone());
                        let memory = $crate::Memory::new(one.gpa, host, one.bytes, owner);
                        if one.writable {
                            memory
                        } else {
                            memory.read_only()
                        }
                    }),
                    &state(&now, $crate::Reason::Other),
                ),
                VcpuEvent::Exit { reason: why, state: now } => {
                    $crate::exit(vm, &state(&now, reason(why)))
                }
                VcpuEvent::Reset => $crate::reset(vm),
                VcpuEvent::Dropped => $crate::dropped(vm),
                _ => {}
            }
        }

        let _ = VCPU_HOOK.set(hook);
    }};
}
