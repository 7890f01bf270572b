//! Serves a sandbox on the loopback interface until it is stopped, and prints where: `<url> <token>`.
//!
//! `cargo run -p bpctl-sandbox --example serve -- [staged] [scenario…]`

use std::error::Error;
use std::io::Write as _;

use bpctl_sandbox::transport::{Pace, ServeOptions, serve};
use bpctl_sandbox::{Layout, Options, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "staged" => options.layout = Layout::Staged,
            scenario => {
                options.scenarios.insert(scenario.parse()?);
            }
        }
    }
    let server = serve(Sandbox::new(options, Pace::default()), ServeOptions::default()).await?;
    writeln!(std::io::stdout(), "{} {}", server.url(), server.token)?;
    server.run().await;
    Ok(())
}
