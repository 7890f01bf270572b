//! The backend: nginx before three PHP containers of one image.

use serde_json::{Value, json};

use super::service::{Service, provider};
use super::{base_url, exec, execution_role, image, log_configuration, log_group, variables};
use crate::build::{Template, join, own_arn, reference, sub};
use crate::data::{OAUTH, OAUTH_KEYS, read_by_the_backend};
use crate::exports;
use crate::iam;
use crate::names::Names;
use crate::settings::{Layout, Settings, Stage};

/// Where the application expects the key for signing in with Apple.
const APPLE_KEY: &str = "/var/www/html/storage/keys/Apple_AuthKey.p8";

/// The databases whose host, user and password the containers get, all of the one instance.
const DATABASES: [&str; 3] = ["CENTRAL", "TENANT_POOL_1", "TENANT_POOL_2"];

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    log_group(template, settings, "BackendLogs", "backend");
    template.add(
        "BackendExecutionRole",
        execution_role(names, "backend", "BackendLogs", &may_read_secrets(settings)),
    );
    template.add(
        "BackendTaskRole",
        iam::role("ecs-tasks.amazonaws.com", &[], &application(names)),
    );
    Service {
        construct: "Backend",
        what: "backend",
        size: settings.sizes.backend,
        containers: containers(settings),
        entry: ("nginx", 80),
        security_group: "SgBackend",
        strategy: json!([provider("FARGATE", 1, 1), provider("FARGATE_SPOT", 0, 3)]),
        grace: 300,
        most: 4,
    }
    .add(template, settings);
}

fn containers(settings: &Settings) -> Value {
    let nginx = json!({
        "Name": "nginx",
        "Image": image(Names::of(settings), "backend", "nginx-latest"),
        "Essential": true,
        "PortMappings": [{ "ContainerPort": 80, "Protocol": "tcp" }],
        "HealthCheck": {
            "Command": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1/up || exit 1"],
            "Interval": 30,
            "Timeout": 5,
            "Retries": 3,
            "StartPeriod": 60,
        },
        "LogConfiguration": log_configuration("BackendLogs", "nginx"),
    });
    let worker = "php artisan queue:work --sleep=3 --tries=3 --max-time=3600";
    json!([
        nginx,
        php(settings, "php-fpm", "php", FPM),
        php(settings, "scheduler", "scheduler", "php artisan schedule:work"),
        php(settings, "queue-worker", "queue", worker),
    ])
}

/// The process that the PHP image starts of itself.
const FPM: &str = "php-fpm";

/// A container of the PHP image. The task lives as long as `php-fpm` does.
fn php(settings: &Settings, name: &str, prefix: &str, process: &str) -> Value {
    let names = Names::of(settings);
    let mut container = json!({ "Name": name });
    container["Image"] = image(names, "backend", "php-latest");
    container["Essential"] = json!(name == "php-fpm");
    match settings.layout {
        Layout::Single => {
            container["EntryPoint"] = json!(["/bin/sh", "-lc"]);
            container["Command"] = json!([started(process)]);
        }
        // No shell: what runs a command in such a container sends its words one by one (runbook, "Database Migrations").
        Layout::Staged if process == FPM => {}
        Layout::Staged => container["Command"] = process.split(' ').collect(),
    }
    container["Environment"] = variables(environment(settings));
    container["Secrets"] = secrets(settings);
    container["LogConfiguration"] = log_configuration("BackendLogs", prefix);
    container
}

/// The script that leads to a process: it makes the folders that the framework writes to, and a file of the key that
/// comes in base64. A key that is not filled in yet keeps nothing from starting.
fn started(process: &str) -> String {
    [
        "mkdir -p storage/keys storage/logs storage/framework/cache/data storage/framework/sessions \
         storage/framework/views",
        "(umask 077; printf %s \"$APPLE_PRIVATE_KEY_P8_B64\" | base64 -d > \"$APPLE_PRIVATE_KEY\") 2>/dev/null \
         || echo 'the key for signing in with Apple is no base64' >&2",
        "chown -R www-data:www-data storage 2>/dev/null || true",
    ]
    .into_iter()
    .fold("cd /var/www/html".to_owned(), |script, step| format!("{script}; {step}"))
        + &format!("; exec {process}")
}

/// 28 variables, the same for all three; 25 in the staged layout, whose application has no key in a file, and finds
/// frontend and media by itself.
fn environment(settings: &Settings) -> Vec<(&'static str, Value)> {
    let names = Names::of(settings);
    let stage = settings.environment;
    let text = |text: &str| json!(text);
    let mut variables = vec![
        ("APP_ENV", text(stage.as_str())),
        ("APP_DEBUG", json!((stage != Stage::Production).to_string())),
        ("APP_URL", base_url(settings)),
        ("LOG_CHANNEL", text("stderr")),
        ("DB_CONNECTION", text("central")),
        ("CENTRAL_DB_DRIVER", text("mariadb")),
        ("CENTRAL_DB_PORT", text("3306")),
        ("CENTRAL_DB_DATABASE", text("bp")),
        ("TENANT_POOL_1_DB_DRIVER", text("mariadb")),
        ("TENANT_POOL_1_DB_DATABASE", text("tenant_pool_1")),
        ("TENANT_POOL_2_DB_DRIVER", text("mariadb")),
        ("TENANT_POOL_2_DB_DATABASE", text("tenant_pool_2")),
        ("REDIS_HOST", exports::redis_endpoint(names).import()),
        ("REDIS_PORT", text("6379")),
        ("CACHE_STORE", text("redis")),
        ("SESSION_DRIVER", text("redis")),
        ("QUEUE_CONNECTION", text("database")),
        ("FILESYSTEM_DISK", text("s3")),
        ("AWS_DEFAULT_REGION", reference("AWS::Region")),
        ("COMFYUI_AWS_REGION", reference("AWS::Region")),
        ("AWS_BUCKET", json!(names.bucket("media"))),
        ("COMFYUI_MODELS_BUCKET", json!(names.bucket("models"))),
        ("COMFYUI_MODELS_DISK", text("comfyui_models")),
        ("COMFYUI_LOGS_BUCKET", json!(names.bucket("logs"))),
        ("COMFYUI_LOGS_DISK", text("comfyui_logs")),
    ];
    if settings.layout == Layout::Single {
        let media = join(&[json!("https://"), exports::media_domain(names).import()]);
        variables.extend([
            ("FRONTEND_URL", base_url(settings)),
            ("APPLE_PRIVATE_KEY", text(APPLE_KEY)),
            ("AWS_URL", media),
        ]);
    }
    variables
}

/// 22 secrets: whole ones, keys of those that are JSON, and the parameters of the fleets' stages. In the staged layout 12,
/// for its containers get nothing of the sign-in services.
fn secrets(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let of = |logical: &str| exports::secret(names, logical).import();
    // `<arn>:<key>:<stage>:<version>`, the last two left to AWS.
    let key = |logical: &str, key: &str| join(&[of(logical), json!(format!(":{key}::"))]);
    let mut secrets = vec![("APP_KEY".to_owned(), of("LaravelAppKey"))];
    for database in DATABASES {
        for name in ["host", "username", "password"] {
            let variable = format!("{database}_DB_{}", name.to_ascii_uppercase());
            secrets.push((variable, key("DatabaseSecret", name)));
        }
    }
    secrets.push(("COMFYUI_ASSET_OPS_SECRET".to_owned(), of("AssetOpsSecret")));
    if read_by_the_backend(settings.layout).contains(&OAUTH) {
        for name in OAUTH_KEYS {
            secrets.push((name.to_ascii_uppercase(), key(OAUTH, name)));
        }
    }
    for (stage, variable, _) in names.fleet_secrets() {
        secrets.push((variable, fleet_secret(names, stage)));
    }
    secrets
        .into_iter()
        .map(|(name, from)| json!({ "Name": name, "ValueFrom": from }))
        .collect()
}

fn fleet_secret(names: Names<'_>, stage: Stage) -> Value {
    own_arn("ssm", &format!("parameter{}", names.fleet_secret(stage)))
}

fn may_read_secrets(settings: &Settings) -> [Value; 2] {
    let names = Names::of(settings);
    let secrets: Value = read_by_the_backend(settings.layout)
        .iter()
        .map(|logical| exports::secret(names, logical).import())
        .collect();
    let parameters: Value = names
        .fleet_secrets()
        .into_iter()
        .map(|(stage, _, _)| fleet_secret(names, stage))
        .collect();
    [
        iam::allow(&["secretsmanager:GetSecretValue"], secrets),
        iam::allow(&["ssm:GetParameters"], parameters),
    ]
}

/// What the application itself does in AWS: media and models, the metrics of the fleets, and their pointers.
fn application(names: Names<'_>) -> [Value; 6] {
    let bucket = |what: &str, rest: &str| {
        sub(&format!(
            "arn:${{AWS::Partition}}:s3:::{}{rest}",
            names.bucket(what)
        ))
    };
    let pointers: Value = names
        .pointers()
        .iter()
        .map(|name| own_arn("ssm", &format!("parameter{name}")))
        .collect();
    [
        exec(),
        iam::allow(
            &[
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:PutObject",
            ],
            json!([bucket("media", "/*"), bucket("models", "/*")]),
        ),
        iam::allow(&["s3:GetObject"], bucket("logs", "/*")),
        iam::allow(
            &["s3:ListBucket"],
            json!([bucket("media", ""), bucket("models", ""), bucket("logs", "")]),
        ),
        iam::allow_when(
            &["cloudwatch:PutMetricData"],
            json!("*"),
            "cloudwatch:namespace",
            crate::fleet::NAMESPACE,
        ),
        iam::allow(&["ssm:GetParameter", "ssm:PutParameter"], pointers),
    ]
}
