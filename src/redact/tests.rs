use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

/// Shapes in which a secret stands in a line, and what is left of it.
const SECRETS: [(&str, &str); 44] = [
    ("DB_PASSWORD=hunter2 next", "DB_PASSWORD=[redacted] next"),
    ("DB_PASS=hunter2", "DB_PASS=[redacted]"),
    ("pwd=hunter2;server=db", "pwd=[redacted];server=db"),
    ("USER: bp PASS: hunter2", "USER: bp PASS: [redacted]"),
    ("passphrase=correct horse battery", "passphrase=[redacted]"),
    ("GET /v1?auth=hunter2&x=1", "GET /v1?auth=[redacted]&x=1"),
    ("session_id=a1b2c3d4 user=7", "session_id=[redacted] user=7"),
    (
        "bin/import --password hunter2 --force",
        "bin/import --password [redacted] --force",
    ),
    (
        "mysqldump -h db -u bp -phunter2 bp",
        "mysqldump -h db -u bp -p[redacted] bp",
    ),
    (
        "curl -s -u admin:hunter2 https://x",
        "curl -s -u admin:[redacted] https://x",
    ),
    (
        "clone https://1f2e3d4c5b6a@git.example.com/x.git",
        "clone https://[redacted]@git.example.com/x.git",
    ),
    ("Authorization: Token hunter2", "Authorization: [redacted]"),
    ("sent Bearer hunter2abc to x", "sent Bearer [redacted] to x"),
    ("charge with sk_live_abcDEF123", "charge with [redacted]"),
    (
        "POST https://hooks.slack.com/services/T0AB/B0CD/xyz failed",
        "POST https://hooks.slack.com/services/[redacted] failed",
    ),
    (
        "#1 Connector.php(70): PDO->__construct('mysql:host=db;port=3306', 'bp', 'hunter2', Array)",
        "#1 Connector.php(70): PDO->__construct('mysql:host=db;port=3306', 'bp', '[redacted]', Array)",
    ),
    (
        "Redis->connect('bp', 'hunter2')",
        "Redis->connect('bp', '[redacted]')",
    ),
    (
        r"key -----BEGIN PRIVATE KEY-----\nMIIE\nq1w2\n-----END PRIVATE KEY-----\n bad",
        r"key -----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\n bad",
    ),
    (
        r#"{"password":"hun\"ter2","n":1}"#,
        r#"{"password":"[redacted]","n":1}"#,
    ),
    (
        r#"{"password" : [ "hunter2" ], "n": 1}"#,
        r#"{"password" : [ "[redacted]" ], "n": 1}"#,
    ),
    ("password\t=\thunter2", "password\t=\t[redacted]"),
    ("q=password%3Dhunter2%26x%3D1", "q=password%3D[redacted]%26x%3D1"),
    ("mysql://bp:hun/ter2@db/bp", "mysql://bp:[redacted]@db/bp"),
    (
        r#"{"password":"a, b","user":"x"}"#,
        r#"{"password":"[redacted]","user":"x"}"#,
    ),
    (
        r#"{\"client_secret\":\"a\\\"bc\",\"n\":1}"#,
        r#"{\"client_secret\":\"[redacted]\",\"n\":1}"#,
    ),
    ("'api_key' => 'k1',", "'api_key' => '[redacted]',"),
    (
        "Authorization: Bearer abc.def, Host: x",
        "Authorization: [redacted], Host: x",
    ),
    ("X-Fleet-Secret: f00d", "X-Fleet-Secret: [redacted]"),
    (
        "APP_KEY=base64:q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c=",
        "APP_KEY=[redacted]",
    ),
    (
        "key base64:q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c= is wrong",
        "key base64:[redacted] is wrong",
    ),
    ("caller AKIAIOSFODNN7EXAMPLE denied", "caller [redacted] denied"),
    (
        "GET /v.mp4?X-Amz-Signature=0af3&x=1",
        "GET /v.mp4?X-Amz-Signature=[redacted]&x=1",
    ),
    (
        "mysql://bp:s3cr:et@db.example.com:3306/bp",
        "mysql://bp:[redacted]@db.example.com:3306/bp",
    ),
    (
        "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4",
        "got [redacted]",
    ),
    (
        "MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIBAQQgLY7x",
        "[redacted]",
    ),
    (
        "Cookie: laravel_session=eyJpdiI6; XSRF-TOKEN=abc",
        "Cookie: [redacted]",
    ),
    (
        "rediss://:hunter2@cache:6379/0",
        "rediss://:[redacted]@cache:6379/0",
    ),
    (
        "DB_PASSWORD=hun,ter&2 DB_HOST=db",
        "DB_PASSWORD=[redacted] DB_HOST=db",
    ),
    (
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ssm/aws4_request, Signature=0af3",
        "Authorization: [redacted]",
    ),
    (
        r#"command: ["php","artisan","key:set","--token","hunter2"]"#,
        r#"command: ["php","artisan","key:set","--token","[redacted]"]"#,
    ),
    (
        "pushed with ghp_1a2B3c4D5e6F7g8H9i0J1k2L",
        "pushed with [redacted]",
    ),
    (
        "aws_secret_access_key = wJalrXUtnFEMI",
        "aws_secret_access_key = [redacted]",
    ),
    ("dbPassword: 'hunter2'", "dbPassword: '[redacted]'"),
    (
        "redis-cli -h cache -a hunter2 ping",
        "redis-cli -h cache -a [redacted] ping",
    ),
];

/// Lines that look as if there were a secret in them, and hold what an operator needs.
const NO_SECRETS: [&str; 60] = [
    "SQLSTATE[HY000] [2002] Connection refused (Connection: central, SQL: select * from `tenants`)",
    "Undefined property: stdClass::$credits at /var/www/html/app/Http/Controllers/VideoController.php:142",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-1a2b3c4: not found",
    "sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53f9b31",
    "arn:aws:iam::123456789012:role/bp-compute-BackendExecutionRole8BD97F6B-1OQ9ZZTOPXYZ",
    "#0 /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/Bootstrap/HandleExceptions.php(256)",
    "https://oauth2.googleapis.com/ timed out",
    "CSRF token mismatch.",
    "",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:bp/production/database-AbCdEf",
    "secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:bp/db-AbCdEf:password::",
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
    "unable to retrieve secret from asm: AccessDeniedException: User is not authorized",
    "tokens=512 max_tokens: 4096 token_count=12",
    "prompt_tokens\":118,\"completion_tokens\":64",
    "compass: north, author: x, bypass: true, keyboard=us",
    "Tests: pass=12 fail=3 skip=0",
    "PWD=/var/www/html OLDPWD=/root",
    "ssl_private_key: /etc/ssl/private/server.key",
    "password: required, token: expired",
    "invalid password: must be at least 12 characters",
    "Authorization: failed",
    "auth=failed user=7",
    "auth: ok",
    "Access denied for user 'bp'@'10.0.12.7' (using password: YES)",
    "cache_key=tenants:7:videos primary_key=id sort_key=createdAt",
    "key: uploads/2026/01/video-7.mp4",
    "Bearer token missing",
    "Basic authentication is disabled",
    "docker run -u 1000:1000 -p 8080:80 nginx",
    "ssh -p 2222 ec2-user@10.0.12.7",
    "mkdir -p /var/www/html/storage",
    "ssh://git@github.com/example/repo.git",
    "http://backend.internal:8080/api/v1/users@example.com",
    "https://example.com/p/user@host?x=1",
    "tcp://10.0.5.17:6379 refused",
    "mysql://db.example.com:3306/bp timed out",
    "mail to ops@example.com failed: 550 5.1.1",
    "tcp_client->connect() timed out after 5 s",
    "Illuminate\\Database\\Connectors\\Connector->createPdoConnection('mysql:host=db', 'bp', Object(SensitiveParameterValue), Array)",
    "$user->can('update', 'video')",
    "session: started",
    "session_lifetime=120 session_driver=redis",
    "DB_PASSWORD_FILE=/run/secrets/db_password",
    "DB_PASSWORD=$DB_PASSWORD",
    "password={{ vault_password }}",
    "token_type: bearer",
    "passwordless login enabled",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "commit 3f2504e04f8911d39a0c0305e82c3301a1b2c3d4",
    "request 6a204bd8-9f3a-4b1c-8d57-2b1f0e9c1a33 took 3 ms",
    "i-0abcdef1234567890 lt-0123456789abcdef0 key-0123456789abcdef0 ami-0a1b2c3d4e5f67890",
    "task-definition/bp-backend:417 deregistered",
    "arn:aws:ecs:us-east-1:123456789012:task/bp/0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "2026-01-02T03:04:05.678Z production.ERROR: Class \"App\\Models\\Token\" not found",
    "if ($token == null) throw new TokenException",
    "app/Services/TokenService.php:42 app/Auth/PasswordBroker.php:17",
    "secrets: 22 parameters: 28",
    "SELECT `password`, `remember_token` FROM `users` WHERE `id` = 7",
    "SIGNATURE_ALGORITHM=HS256 signature_version=4",
];

#[test]
fn secrets_go_and_their_names_stay() {
    let wrong: Vec<_> = SECRETS
        .iter()
        .filter(|(line, expected)| redact(line) != *expected)
        .map(|(line, expected)| format!("\n{line}\n  expected {expected}\n  got      {}", redact(line)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn evidence_survives_and_is_not_even_copied() {
    let wrong: Vec<_> = NO_SECRETS
        .iter()
        .filter(|line| !matches!(redact(line), Cow::Borrowed(_)))
        .map(|line| format!("\n{line}\n  got {}", redact(line)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn redacted_text_stays_as_it_is() {
    for (line, expected) in SECRETS {
        assert_eq!(redact(expected), expected, "{line}");
    }
}

#[test]
fn a_key_over_several_lines_goes_whole() {
    let text = "x\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nq1==\n-----END RSA PRIVATE KEY-----\ny -----BEGIN CERTIFICATE-----\nMIIB\n";
    assert_eq!(
        redact(text),
        "x\n-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\ny -----BEGIN CERTIFICATE-----\nMIIB\n"
    );
}

/// How long a hundred thousand lines take: `cargo test --lib redact::tests::speed -- --nocapture --ignored`.
#[test]
#[ignore = "prints a measurement and proves nothing"]
#[expect(clippy::print_stdout, reason = "the measurement is for who asks for it")]
fn speed() {
    let lines: Vec<&str> = NO_SECRETS
        .iter()
        .chain(SECRETS.iter().map(|(line, _)| line))
        .copied()
        .cycle()
        .take(100_000)
        .collect();
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    let before = std::time::Instant::now();
    let changed = lines
        .iter()
        .filter(|line| matches!(redact(line), Cow::Owned(_)))
        .count();
    println!(
        "{} lines, {bytes} bytes, {changed} with secrets: {:?}",
        lines.len(),
        before.elapsed()
    );
}

proptest! {
    /// Any text goes in, and a password that no separator ends never comes out.
    #[test]
    fn any_text_goes_in(
        before in "[\\PC\\n\"'\\\\=:%@(-]{0,40}",
        after in "[\\PC\\n\"'\\\\=:%@(-]{0,40}",
    ) {
        let secret = "Zq7xK2mPw9";
        let line = format!("{before}\nDB_PASSWORD={secret}\n{after}");
        prop_assert!(!redact(&line).contains(secret), "{}", line);
        let line = format!("{before} {{\"password\":\"{secret}\"}} {after}");
        prop_assert!(!redact(&line).contains(secret), "{}", line);
    }

    #[test]
    fn fragments_in_any_order_do_no_harm(parts in prop::collection::vec(prop::sample::select(vec![
        "password", "=", ":", "\"", "'", "\\", "[", "(", ")", "]", "{", "://", "@", "%3D", "%22", "--token", " ", "\n",
        "Bearer ", "-----BEGIN PRIVATE KEY-----", "-----END ", "base64:", "eyJ", "ü", ",", "curl -u", "mysql -p", "a:b",
        "[redacted]", "Cookie:", "Authorization: Basic ", "PDO->__construct(", "\t",
    ]), 0..20)) {
        let _ = redact(&parts.concat());
    }
}
