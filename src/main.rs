//! The `bpctl` binary: hands the operating system's view of this process to the library and exits with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    bpctl::run(bpctl::Process::from_os()).into()
}
