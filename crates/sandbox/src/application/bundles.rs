//! What a shell on a GPU node does with a bundle: the node's own script, as far as its output and its end show it.

use std::time::Duration;

use serde_json::Value;

use crate::options::Layout;
use crate::scenario::Scenario;
use crate::service::s3;
use crate::world::World;

/// A line of output.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// After the script began.
    pub(crate) after: Duration,
    pub(crate) error: bool,
    pub(crate) text: String,
}

/// A script from its beginning to its end.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) lines: Vec<Line>,
    pub(crate) duration: Duration,
    pub(crate) code: i32,
}

impl Script {
    fn new() -> Self {
        Self {
            lines: Vec::new(),
            duration: Duration::from_secs(1),
            code: 0,
        }
    }

    fn say(&mut self, text: impl Into<String>) {
        self.lines.push(Line {
            after: self.duration,
            error: false,
            text: text.into(),
        });
    }

    fn fail(mut self, code: i32, text: impl Into<String>) -> Self {
        self.lines.push(Line {
            after: self.duration,
            error: true,
            text: text.into(),
        });
        self.code = code;
        self
    }

    fn takes(&mut self, seconds: u64) {
        self.duration += Duration::from_secs(seconds);
    }
}

/// The value of `NAME='…'` or `NAME=…` in a command line.
fn variable(command: &str, name: &str) -> Option<String> {
    let (_, rest) = command.split_once(&format!("{name}="))?;
    let value = match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next(),
        None => rest.split_whitespace().next(),
    };
    value.map(str::to_owned).filter(|value| !value.is_empty())
}

/// What the script of a command prints and how it ends. Anything but applying a bundle ends at once with nothing.
pub(crate) fn script_of(world: &World, command: &str) -> Script {
    let mut script = Script::new();
    if !command.contains("/opt/comfyui/bin/apply-bundle.sh") {
        return script;
    }
    let (Some(bucket), Some(prefix)) = (
        variable(command, "MODELS_BUCKET"),
        variable(command, "BUNDLE_PREFIX"),
    ) else {
        return script.fail(1, "apply-bundle: MODELS_BUCKET and BUNDLE_PREFIX are required");
    };
    let prefix = prefix.trim_end_matches('/');
    script.say(format!("apply-bundle: s3://{bucket}/{prefix} -> /opt/comfyui"));
    script.takes(2);
    let Some(manifest) = s3::bytes(world, &bucket, &format!("{prefix}/manifest.json")) else {
        return script.fail(
            1,
            "fatal error: An error occurred (404) when calling the HeadObject operation: Key \"manifest.json\" does not exist",
        );
    };
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let assets = manifest["assets"].as_array().cloned().unwrap_or_default();
    for (position, asset) in assets.iter().enumerate() {
        let target = asset["target_path"].as_str().unwrap_or_default();
        let key = asset["asset_s3_key"]
            .as_str()
            .or(asset["s3_key"].as_str())
            .unwrap_or_default();
        let unsafe_path = target.starts_with('/') || target.split('/').any(|part| part == "..");
        if unsafe_path {
            return script.fail(1, format!("apply-bundle: unsafe target path: {target}"));
        }
        script.takes(20);
        if s3::bytes(world, &bucket, key).is_none() {
            return script.fail(
                1,
                format!("fatal error: An error occurred (404) when calling the HeadObject operation: Key \"{key}\" does not exist"),
            );
        }
        if world.has(Scenario::ApplyFails) && position + 1 == assets.len() {
            return script.fail(1, "download failed: [Errno 28] No space left on device");
        }
        script.say(format!("[{}/{}] {target}", position + 1, assets.len()));
    }
    script.takes(1);
    script.say(format!(
        "apply-bundle: active bundle is {}",
        manifest["bundle_id"].as_str().unwrap_or_default()
    ));
    if command.contains("> /opt/comfyui/.baked_bundle_id") {
        let id = command.split_once("printf '%s\\n' '");
        let id = id.and_then(|(_, rest)| rest.split('\'').next());
        script.say(format!(
            "/opt/comfyui/.baked_bundle_id: {}",
            id.unwrap_or_default()
        ));
    }
    if command.contains("systemctl restart comfyui.service") {
        script.takes(8);
        script.say("restarted comfyui.service");
    }
    if command.contains("systemctl restart comfyui-worker.service") {
        script.takes(2);
        script.say(match world.options.layout {
            Layout::Single | Layout::Staged => "restarted comfyui-worker.service",
        });
    }
    script
}
