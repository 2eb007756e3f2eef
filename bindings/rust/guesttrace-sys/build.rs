// SPDX-License-Identifier: MIT
//! Builds the C library from its sources, or finds the installed one.
//!
//! The sources are those that this crate lies in; the environment variable
//! GUESTTRACE_SOURCE names others.
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=GUESTTRACE_SOURCE");
    println!("cargo:rerun-if-changed=layout.c");
    let mut layout = cc::Build::new();
    layout.file("layout.c");
    if cfg!(feature = "system") {
        layout.includes(installed());
    } else {
        layout.include(source().join("include"));
    }
    layout.compile("guesttrace-layout");
    if !cfg!(feature = "system") {
        build(&source());
    }
}

fn source() -> PathBuf {
    match std::env::var_os("GUESTTRACE_SOURCE") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.."),
    }
}

#[cfg(any(feature = "otlp", feature = "system"))]
fn installed() -> Vec<PathBuf> {
    pkg_config::Config::new()
        .statik(true)
        .probe("guesttrace-host")
        .expect("guesttrace-host by pkg-config")
        .include_paths
}

#[cfg(not(any(feature = "otlp", feature = "system")))]
fn installed() -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(any(feature = "otlp", feature = "system"))]
fn probe(name: &str) {
    pkg_config::probe_library(name).unwrap_or_else(|error| panic!("{error}"));
}

#[cfg(not(any(feature = "otlp", feature = "system")))]
fn probe(_name: &str) {}

/// All C files of a folder and those below it, in one order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "c") {
            found.push(path);
        }
    }
}

fn is_wanted(root: &Path, path: &Path) -> bool {
    let name = path.strip_prefix(root).unwrap();
    let otlp = cfg!(feature = "otlp");
    // The page of the html format needs a bundler: without it, as the C build
    // does, the constructor says that it is not built in.
    if name.starts_with("export/html") {
        return name.ends_with("html_absent.c");
    }
    otlp || !(name.starts_with("export/send") || name.starts_with("export/spool"))
}

fn build(root: &Path) {
    let mut sources = Vec::new();
    for folder in ["host", "export"] {
        let folder = root.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        files(&folder, &mut sources);
    }
    println!("cargo:rerun-if-changed={}", root.join("include").display());
    sources.retain(|path| is_wanted(root, path));
    cc::Build::new()
        .files(sources)
        .include(root)
        .include(root.join("include"))
        .define("_GNU_SOURCE", None)
        .define("GT_VERSION", concat!("\"", env!("CARGO_PKG_VERSION"), "\""))
        .flag("-std=c11")
        .flag("-pthread")
        .opt_level(2)
        .compile("guesttrace-host");
    if cfg!(feature = "otlp") {
        probe("libcurl");
        probe("zlib");
    }
    println!("cargo:rustc-link-lib=m");
    println!("cargo:rustc-link-lib=pthread");
}
