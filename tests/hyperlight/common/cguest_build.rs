// SPDX-License-Identifier: MIT
//! The C half of the C guests: guesttrace's guest library and cguest.c.
//! CGUEST names the wire: native, 0.11, 0.12, or batch (0.12 by a host function).
use std::path::{Path, PathBuf};

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
    sources.push(top.join("tests/hyperlight/common/cguest.c"));
    for folder in ["guest", "include", "tests/hyperlight/common"] {
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
        "batch" => {
            build.define("WIRE", "gt_hyperlight_0_12").define("GT_BATCH_EXIT", "gt_batch_exit")
        }
        _ => build.define("WIRE", "gt_hyperlight_0_12"),
    };
    build.compile("cguest");
}
