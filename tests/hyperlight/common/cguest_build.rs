// SPDX-License-Identifier: MIT
//! The C half of the C guests: guesttrace's guest library and cguest.c.
//! CGUEST names the wire: native, 0.11, 0.12, or batch (0.12 by a host function); or
//! "example": the guest of examples/hyperlight/ instead of cguest.c.
use std::path::{Path, PathBuf};

/// The folder where that is by the name that guests include.
fn capi_header() -> PathBuf {
    println!("cargo:rerun-if-changed=capi_subset.h");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::copy("capi_subset.h", folder.join("hyperlight_guest.h")).expect("a copy");
    folder
}

fn main() {
    println!("cargo:rerun-if-env-changed=CGUEST");
    println!("cargo:rerun-if-env-changed=GUESTTRACE_SOURCE");
    let top = match std::env::var_os("GUESTTRACE_SOURCE") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.."),
    };
    let wire = std::env::var("CGUEST").unwrap_or("0.12".into());
    let mut sources: Vec<PathBuf> = std::fs::read_dir(top.join("guest"))
        .expect("guest/")
        .map(|entry| entry.expect("guest/").path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    sources.push(top.join(match wire.as_str() {
        "example" => "examples/hyperlight/hyperlight_guest_letters.c",
        _ => "tests/hyperlight/common/cguest.c",
    }));
    for folder in ["guest", "include", "tests/hyperlight/common", "examples/hyperlight"] {
        println!("cargo:rerun-if-changed={}", top.join(folder).display());
    }
    let mut build = cc::Build::new();
    build.compiler("cc").no_default_flags(true).files(sources).include(top.join("include"));
    for flag in [
        "-O2",
        "-std=gnu11",
        "-m64",
        "-ffreestanding",
        "-fPIC",
        "-mno-red-zone",
        "-fno-stack-protector",
        "-fcf-protection=none",
        "-ffunction-sections",
    ] {
        build.flag(flag);
    }
    match wire.as_str() {
        "native" => build.define("NATIVE", None),
        "0.11" => build.define("WIRE", "gt_hyperlight_0_11"),
        // Its hyperlight_main() takes the place of a weak one that is there.
        "example" => build
            .include(capi_header())
            .define("GT_BATCH_EXIT", "gt_batch_exit")
            .link_lib_modifier("+whole-archive"),
        "batch" => {
            build.define("WIRE", "gt_hyperlight_0_12").define("GT_BATCH_EXIT", "gt_batch_exit")
        }
        _ => build.define("WIRE", "gt_hyperlight_0_12"),
    };
    build.compile("cguest");
}
