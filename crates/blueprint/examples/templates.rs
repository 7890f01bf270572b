//! `templates DIR`: writes every template of a few platforms to `DIR/<platform>/<stack>.json`,
//! for programs of others that check templates.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use blueprint::{Domain, Fleet, GitHub, Layout, Settings, Sizes, Stage, stacks};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return ExitCode::from(2);
    };
    match platforms()
        .iter()
        .try_for_each(|(name, settings)| write(&folder.join(name), settings))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Both layouts, with everything and with nothing that can be asked for, both as mended and as the platform has it.
fn platforms() -> [(&'static str, Settings); 8] {
    let mut small = Settings::new("123456789012", "us-west-2");
    small.environment = Stage::Staging;
    small.sizes = Sizes::staging();
    small.fleets = vec![fleet(Stage::Staging, "gpu-default", "gpu-default", "g5.xlarge")];
    let upstream = |settings: &Settings| Settings {
        upstream_compatible: true,
        ..settings.clone()
    };
    let full = full();
    let mut staged_small = Settings::staged("123456789012", "us-west-2", Stage::Staging);
    staged_small.fleets.clone_from(&small.fleets);
    let staged_full = Settings {
        layout: Layout::Staged,
        fleets: full
            .fleets
            .iter()
            .filter(|fleet| fleet.stage == Stage::Production)
            .cloned()
            .collect(),
        ..full.clone()
    };
    [
        ("staged-small-upstream", upstream(&staged_small)),
        ("staged-small", staged_small),
        ("staged-full-upstream", upstream(&staged_full)),
        ("staged-full", staged_full),
        ("small-upstream", upstream(&small)),
        ("small", small),
        ("full-upstream", upstream(&full)),
        ("full", full),
    ]
}

fn full() -> Settings {
    let mut settings = Settings::new("123456789012", "us-east-1");
    settings.sizes = Sizes::production();
    settings.domain = Some(Domain {
        name: "app.example.com".to_owned(),
        certificate_arn:
            "arn:aws:acm:us-east-1:123456789012:certificate/5f3d2c1b-0a9e-4d7c-8b6a-123456789abc".to_owned(),
    });
    settings.alert_email = Some("ops@example.com".to_owned());
    settings.monthly_budget_usd = Some(500);
    settings.owner = Some("team-platform".to_owned());
    settings.github = Some(GitHub {
        repository: "example/platform".to_owned(),
        subject: "environment:production-infra".to_owned(),
        provider_exists: false,
    });
    settings.fleets = vec![
        fleet(Stage::Staging, "gpu-default", "gpu-default", "g4dn.xlarge"),
        fleet(Stage::Production, "gpu-default", "gpu-default", "g5.xlarge"),
        fleet(Stage::Production, "upscale", "gpu-p-series", "p5.48xlarge"),
    ];
    settings
}

fn fleet(stage: Stage, slug: &str, template: &str, instance_type: &str) -> Fleet {
    Fleet {
        stage,
        slug: slug.to_owned(),
        template_slug: template.to_owned(),
        instance_type: instance_type.to_owned(),
    }
}

fn write(folder: &Path, settings: &Settings) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let stacks = stacks(settings).map_err(|problems| io::Error::other(problems.join("; ")))?;
    for stack in stacks {
        let text = serde_json::to_string_pretty(&stack.template)?;
        fs::write(folder.join(format!("{}.json", stack.name)), text)?;
    }
    Ok(())
}
