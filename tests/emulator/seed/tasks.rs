//! The backend's images and its task definition with four containers.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ecs::types::{
    Compatibility, ContainerDefinition, CpuArchitecture, HealthCheck, KeyValuePair, LogConfiguration,
    LogDriver, NetworkMode, OsFamily, PortMapping, RuntimePlatform, Secret,
};

use super::Names;
use crate::engine::{Image, Program};
use crate::platform::{Layout, Platform, REGION, client};

/// The single layout's PHP containers run their commands through a shell.
const SHELL: [&str; 2] = ["/bin/sh", "-lc"];

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The PHP image with the platform's long-running programs, and one more.
pub(crate) fn php_image(platform: &Platform, program: Option<Program>) -> Image {
    let mut programs = vec![
        Program::daemon("php-fpm", &["NOTICE: ready to handle connections"]),
        Program::daemon("php artisan schedule:work", &["INFO  Running scheduled tasks."]),
        Program::daemon(
            "php artisan queue:work",
            &["INFO  Processing jobs from the [default] queue."],
        ),
        // Without a script, php reads one from stdin, which is empty: it does nothing, successfully.
        Program::job("php", Duration::from_millis(300), 0, &[]),
    ];
    programs.extend(program);
    Image {
        name: format!("{}:php-latest", Names::of(platform).repository),
        // ministack 1.5.33 does not hand the task definition's entry point to Docker (`_build_run_kwargs` knows
        // only `command`). The image brings the same one, so that the command meets it after all.
        entry_point: match platform.layout {
            Layout::Single => owned(&SHELL),
            Layout::Staged => Vec::new(),
        },
        command: owned(&["php-fpm"]),
        programs,
    }
}

pub(crate) fn nginx_image(platform: &Platform) -> Image {
    Image {
        name: format!("{}:nginx-latest", Names::of(platform).repository),
        entry_point: Vec::new(),
        command: owned(&["nginx"]),
        programs: vec![Program::daemon("nginx", &["start worker processes"])],
    }
}

/// Registers a revision whose PHP containers come from the image tagged `php_tag`.
pub(crate) async fn register(platform: &Platform, secrets: &[(String, String)], php_tag: &str) {
    let names = Names::of(platform);
    let php = |name: &str, prefix: &str, command: &[&str]| {
        let (entry_point, command) = match platform.layout {
            Layout::Single => (Some(owned(&SHELL)), vec![command.join(" ")]),
            Layout::Staged => (None, owned(command)),
        };
        ContainerDefinition::builder()
            .name(name)
            .image(format!("{}:{php_tag}", names.repository))
            .essential(name == "php-fpm")
            .set_entry_point(entry_point)
            .set_command(Some(command))
            .environment(
                KeyValuePair::builder()
                    .name("DB_CONNECTION")
                    .value("central")
                    .build(),
            )
            .set_secrets(Some(secrets.iter().map(secret).collect()))
            .log_configuration(logs(&names, prefix))
            .build()
    };
    let nginx = ContainerDefinition::builder()
        .name("nginx")
        .image(format!("{}:nginx-latest", names.repository))
        .essential(true)
        .port_mappings(PortMapping::builder().container_port(80).build())
        .health_check(
            HealthCheck::builder()
                .command("CMD-SHELL")
                .command("wget -q -O /dev/null http://127.0.0.1/up || exit 1")
                .build()
                .expect("a health check"),
        )
        .log_configuration(logs(&names, "nginx"))
        .build();
    client!(aws_sdk_ecs, platform)
        .register_task_definition()
        .family(names.backend)
        .network_mode(NetworkMode::Awsvpc)
        .requires_compatibilities(Compatibility::Fargate)
        .cpu("1024")
        .memory("2048")
        .runtime_platform(
            RuntimePlatform::builder()
                .cpu_architecture(CpuArchitecture::Arm64)
                .operating_system_family(OsFamily::Linux)
                .build(),
        )
        .container_definitions(nginx)
        .container_definitions(php("php-fpm", "php", &["php-fpm"]))
        .container_definitions(php(
            "scheduler",
            "scheduler",
            &["php", "artisan", "schedule:work"],
        ))
        .container_definitions(php(
            "queue-worker",
            "queue",
            &["php", "artisan", "queue:work", "--tries=3"],
        ))
        .send()
        .await
        .expect("a task definition");
}

fn secret((name, value_from): &(String, String)) -> Secret {
    Secret::builder()
        .name(name)
        .value_from(value_from)
        .build()
        .expect("a secret")
}

fn logs(names: &Names, prefix: &str) -> LogConfiguration {
    let options = [
        ("awslogs-group", names.logs),
        ("awslogs-region", REGION),
        ("awslogs-stream-prefix", prefix),
    ];
    let options: HashMap<String, String> = options
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .set_options(Some(options))
        .build()
        .expect("a log configuration")
}
