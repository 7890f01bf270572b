//! `bpctl top`: its calls, trouble and its end in an account of this process; keys, sizes and the terminal in the real
//! binary at a pseudo-terminal.

use std::time::Duration;

use bpctl::{Captured, Process};
use bpctl_sandbox::{Fault, FaultRule, FleetSeed, Options, Scenario, World};
use tokio_util::sync::CancellationToken;

use crate::support::{Account, at_a_terminal};

/// What a terminal of this size shows after everything that was written so far.
fn screen(written: &str, (rows, columns): (u16, u16)) -> vt100::Parser {
    let size = |n: u16| n.try_into().expect("a size");
    let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
    parser.process(written.as_bytes());
    parser
}

fn shown(captured: &Captured) -> String {
    screen(&captured.stdout(), (40, 120)).screen().contents()
}

/// The view at a terminal of 120 columns and 40 lines, which nobody touches.
fn view(account: &Account, args: &[&str]) -> (Process, Captured) {
    let (mut process, captured) = account.process(args);
    at_a_terminal(&mut process);
    process.env.insert("COLUMNS".to_owned(), "120".to_owned());
    process.env.insert("LINES".to_owned(), "40".to_owned());
    (process, captured)
}

/// Runs the view while `meanwhile` happens, and ends it then.
async fn watched(account: &Account, args: &[&str], meanwhile: impl AsyncFnOnce(&Captured)) -> (u8, Captured) {
    let (process, captured) = view(account, args);
    let cancel: CancellationToken = process.cancel.clone();
    let ends = async {
        meanwhile(&captured).await;
        cancel.cancel();
    };
    let (status, ()) = tokio::join!(Box::pin(bpctl::run_async(process)), ends);
    (status.code(), captured)
}

#[tokio::test(start_paused = true)]
async fn twenty_fleets_take_less_than_a_call_a_second() {
    let fleets = (0..20)
        .map(|number| FleetSeed::new("production", &format!("fleet-{number:03}"), 2, 1.0))
        .collect();
    let account = Account::from_options(Options {
        fleets,
        ..Options::default()
    });
    let clock = account.clock();
    let (status, captured) = watched(&account, &["top"], async |_| {
        clock.sleep(Duration::from_secs(600)).await
    })
    .await;
    assert_eq!(status, 130, "{}", captured.stderr());
    let (calls, changes) = account.sandbox.with_world(|world| {
        let changes = world.calls().iter().filter(|call| call.changed()).count();
        (world.calls().len(), changes)
    });
    // It looks as often as it may, and not more often.
    assert!((200..=600).contains(&calls), "{calls} calls in 600 s");
    assert_eq!(changes, 0);
    // The view is gone: what a terminal shows then is what it showed before.
    let terminal = screen(&captured.stdout(), (40, 120));
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor());
    assert_eq!(terminal.screen().contents().trim(), "");
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_not_drawn_again() {
    let account = Account::from_options(Options {
        fleets: vec![FleetSeed::new("production", "gpu-default", 0, 0.0)],
        ..Options::default()
    });
    let clock = account.clock();
    let (_, captured) = watched(&account, &["top"], async |_| {
        clock.sleep(Duration::from_secs(300)).await
    })
    .await;
    // The picture is some kilobytes; after it only times change.
    let written = captured.stdout().len();
    assert!(written < 40_000, "{written} bytes in five minutes");
}

#[tokio::test(start_paused = true)]
async fn a_lost_network_leaves_the_last_picture_with_its_time_and_comes_back_by_itself() {
    let account = Account::with(&[]);
    let clock = account.clock();
    let (status, captured) = watched(&account, &["top"], async |captured| {
        clock.sleep(Duration::from_secs(60)).await;
        let before = shown(captured);
        assert!(
            before.contains("bp-backend") && !before.contains("STALE"),
            "{before}"
        );
        account
            .sandbox
            .with_world(|world| world.inject(FaultRule::everywhere(Fault::Disconnect)));
        clock.sleep(Duration::from_secs(180)).await;
        let lost = shown(captured);
        assert!(
            lost.contains("STALE since ") && lost.contains("SERVICES stale since "),
            "{lost}"
        );
        assert!(
            lost.contains("bp-backend") && lost.contains("FINDINGS stale since "),
            "{lost}"
        );
        account.sandbox.with_world(World::clear_faults);
        clock.sleep(Duration::from_secs(120)).await;
        let after = shown(captured);
        assert!(
            after.contains("bp-backend") && !after.to_lowercase().contains("stale"),
            "{after}"
        );
    })
    .await;
    assert_eq!(status, 130, "{}", captured.stderr());
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_said_with_the_way_to_sign_in_and_renewed_ones_go_on() {
    let account = Account::with(&[]);
    let clock = account.clock();
    watched(&account, &["top"], async |captured| {
        clock.sleep(Duration::from_secs(60)).await;
        account
            .sandbox
            .with_world(|world| world.inject(FaultRule::everywhere(Fault::Expire)));
        clock.sleep(Duration::from_secs(60)).await;
        let expired = shown(captured);
        assert!(
            expired.contains("STALE since ") && expired.contains("expired"),
            "{expired}"
        );
        assert!(
            expired.contains("hint: ") && expired.contains("sign in"),
            "{expired}"
        );
        account.sandbox.with_world(World::clear_faults);
        clock.sleep(Duration::from_secs(60)).await;
        let after = shown(captured);
        assert!(
            !after.to_lowercase().contains("stale") && !after.contains("hint:"),
            "{after}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_action_that_is_denied_could_not_be_checked() {
    let account = Account::with(&[]);
    let clock = account.clock();
    let deny = FaultRule::on(bpctl_sandbox::Service::CloudWatch, "DescribeAlarms", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(deny));
    watched(&account, &["top"], async |captured| {
        clock.sleep(Duration::from_secs(60)).await;
        let text = shown(captured);
        assert!(
            text.contains("COULD NOT CHECK: ") && text.contains("could not be checked"),
            "{text}"
        );
        assert!(
            !text.contains("nothing is wrong") && !text.contains("in ALARM"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn both_layouts_have_their_names_in_the_view() {
    let account = Account::staged(&[Scenario::BreakerRollback]);
    let clock = account.clock();
    watched(&account, &["top", "--protected"], async |captured| {
        clock.sleep(Duration::from_secs(30)).await;
        let text = shown(captured);
        let header = text.lines().next().unwrap_or_default();
        for part in [
            "sandbox PROTECTED",
            "staging",
            "staged",
            "123456789012",
            "us-east-1",
        ] {
            assert!(header.contains(part), "{part}: {header}");
        }
        assert!(
            text.contains("staging/image-to-video") && text.contains("rolled back"),
            "{text}"
        );
    })
    .await;
}

/// A whole command that ends before AWS is asked.
async fn refused(account: &Account, args: &[&str], adjust: impl FnOnce(&mut Process)) {
    let run = account.run_with(args, adjust).await;
    assert_eq!(run.status.code(), 2, "{args:?} {}", run.text());
    assert_eq!(run.calls, 0, "{args:?} {}", run.text());
    assert_eq!(run.stdout, "", "{args:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_it_says_what_shows_the_same() {
    let account = Account::with(&[]);
    let piped = account.run(&["top"]).await;
    insta::assert_snapshot!(piped.text(), @"
    [exit 2]
    ----- stdout
    ----- stderr
    error: failed to show the live view: standard input, output and error must be a terminal, outside of CI
    hint: see what changes without a terminal with `bpctl triage --watch`
    hint: or look once with `bpctl get services,fleets,alarms`
    ");
    assert_eq!(piped.calls, 0);
    for args in [
        &["top", "-o", "json"][..],
        &["top", "--query", "x"],
        &["top", "-o", "wide"],
        &["top", "-v"],
    ] {
        refused(&account, args, at_a_terminal).await;
    }
    for (name, value) in [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("TERM", "dumb"),
        ("BPCTL_LOG", "debug"),
    ] {
        refused(&account, &["top"], |process| {
            at_a_terminal(process);
            process.env.insert(name.to_owned(), value.to_owned());
        })
        .await;
    }
    for args in [
        &["top", "--interval", "1s"][..],
        &["top", "--interval", "x"],
        &["top", "--context", "a,b"],
    ] {
        refused(&account, args, at_a_terminal).await;
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_have_ended_before_the_beginning_are_an_error_like_any_other() {
    let account = Account::with(&[Scenario::ExpiredCredentials]);
    let run = account.run_with(&["top"], at_a_terminal).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(
        run.stdout.is_empty() && run.stderr.contains("hint: "),
        "{}",
        run.text()
    );
}

/// The real binary at a terminal of its own.
#[cfg(unix)]
mod at_a_pseudo_terminal {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use bpctl_sandbox::Options;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

    use crate::site::{Site, eventually};

    /// Longer than anything here takes on a machine with other work.
    const DEADLINE: Duration = Duration::from_secs(60);

    /// How many times as fast as the clock on the wall the account's time passes.
    const SPEED: f64 = 20.0;

    struct Terminal {
        master: File,
        /// Kept open: the modes of a terminal without a process are gone.
        slave: File,
        parser: Arc<Mutex<vt100::Parser>>,
        /// Everything that was written.
        bytes: Arc<Mutex<Vec<u8>>>,
        child: Child,
    }

    fn size(n: u16) -> std::num::NonZeroU16 {
        n.try_into().expect("a size")
    }

    impl Terminal {
        fn start(site: &Site, home: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
            grantpt(&master).expect("a terminal");
            unlockpt(&master).expect("a terminal");
            let name = ptsname(&master, Vec::new()).expect("a name");
            let name = name.to_str().expect("a path").to_owned();
            let master = File::from(master);
            let slave = OpenOptions::new()
                .read(true)
                .write(true)
                .open(name)
                .expect("the other end");
            let parser = Arc::new(Mutex::new(vt100::Parser::new(size(24), size(80), 0)));
            let bytes = Arc::new(Mutex::new(Vec::new()));
            resized(&master, 24, 80);
            let bpctl = site.bpctl(home, args);
            // The terminal is the session's: Ctrl-C and the size reach the process as they do in real life.
            let mut command = Command::new("setsid");
            command
                .arg("--ctty")
                .arg("--wait")
                .arg(bpctl.get_program())
                .args(bpctl.get_args());
            let path = std::env::split_paths("/usr/local/bin:/usr/bin:/bin");
            let path = std::env::join_paths(path).expect("folders");
            command
                .env_clear()
                .env("PATH", path)
                .env("TERM", "xterm-256color")
                .env("LANG", "C.UTF-8");
            for (name, value) in bpctl.get_envs() {
                command.env(name, value.expect("a value"));
            }
            command.envs(env.iter().copied()).current_dir(home);
            let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
            let child = command
                .stdin(end())
                .stdout(end())
                .stderr(end())
                .spawn()
                .expect("setsid of util-linux");
            let mut reader = master.try_clone().expect("a descriptor");
            let (shown, kept) = (Arc::clone(&parser), Arc::clone(&bytes));
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                // Ends with an error as soon as both ends are closed.
                while let Ok(length @ 1..) = reader.read(&mut buffer) {
                    kept.lock().expect("no panic").extend(&buffer[..length]);
                    shown.lock().expect("no panic").process(&buffer[..length]);
                }
            });
            Self {
                master,
                slave,
                parser,
                bytes,
                child,
            }
        }

        fn text(&self) -> String {
            self.parser.lock().expect("no panic").screen().contents()
        }

        fn is_other_screen(&self) -> bool {
            self.parser.lock().expect("no panic").screen().alternate_screen()
        }

        fn sees(&self, what: &str) {
            self.sees_that(what, |text| text.contains(what));
        }

        fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
            let came = eventually(DEADLINE, || is_so(&self.text()));
            assert!(came, "never `{what}`:\n{}", self.text());
        }

        /// The last line waits for an answer. What an earlier command left above it does not count.
        fn asks(&self, what: &str) {
            self.sees_that(what, |text| {
                let last = text.lines().rfind(|line| !line.trim().is_empty());
                last.is_some_and(|line| {
                    line.trim_end().starts_with(what) && (!what.ends_with(':') || line.trim_end() == what)
                })
            });
        }

        fn types(&mut self, keys: &str) {
            self.master.write_all(keys.as_bytes()).expect("the terminal");
        }

        fn resize(&self, rows: u16, columns: u16) {
            self.parser
                .lock()
                .expect("no panic")
                .screen_mut()
                .set_size(size(rows), size(columns));
            resized(&self.master, rows, columns);
        }

        fn signal(&self, name: &str) {
            // `setsid` has become bpctl: it forks only where it leads a group already.
            let sent = Command::new("kill")
                .args([name, &self.child.id().to_string()])
                .status();
            assert!(sent.expect("kill").success());
        }

        /// The status, once it has ended; the terminal is what it was before then.
        fn ends(&mut self) -> Option<i32> {
            let mut status = None;
            let ended = eventually(DEADLINE, || {
                status = self.child.try_wait().expect("a child");
                status.is_some()
            });
            assert!(ended, "it goes on:\n{}", self.text());
            let modes = tcgetattr(&self.slave).expect("modes").local_modes;
            assert!(
                modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG),
                "{modes:?}"
            );
            let own = eventually(DEADLINE, || !self.is_other_screen());
            assert!(own, "the other screen is still shown");
            assert!(!self.parser.lock().expect("no panic").screen().hide_cursor());
            status.and_then(|status| status.code())
        }
    }

    impl Drop for Terminal {
        fn drop(&mut self) {
            // Only where the test has failed before its end.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn resized(master: &File, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(master, size).expect("a size");
    }

    fn site() -> (Site, tempfile::TempDir) {
        let site = Site::start(Options::default(), SPEED, Duration::ZERO);
        (site, tempfile::tempdir().expect("a folder"))
    }

    #[test]
    fn an_operator_filters_describes_resizes_and_quits() {
        let (site, home) = site();
        let mut terminal = Terminal::start(&site, home.path(), &["top"], &[]);
        terminal.sees("nothing is wrong");
        assert!(terminal.is_other_screen());
        terminal.sees_that("both services", |text| {
            text.contains("bp-backend") && text.contains("bp-frontend")
        });
        terminal.types("/front");
        terminal.sees_that("the filter", |text| {
            text.contains("bp-frontend") && !text.contains("bp-backend ")
        });
        terminal.types("\r");
        terminal.sees("filter: front");
        terminal.types("d");
        terminal.sees("bpctl describe service -- bp-frontend");
        let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
        terminal.sees_that("a description", |text| lines(text) > 8);
        terminal.types("\x1b");
        terminal.sees("SERVICES");
        terminal.types("\x1b");
        terminal.sees("bp-backend");
        terminal.resize(40, 120);
        terminal.sees_that("more columns", |text| {
            text.lines().any(|line| line.chars().count() > 100)
        });
        terminal.resize(10, 40);
        terminal.sees("too small: 40x10");
        terminal.resize(24, 80);
        terminal.sees("bp-backend");
        terminal.types("?");
        terminal.sees("KEYS");
        terminal.types("qq");
        assert_eq!(terminal.ends(), Some(0));
        assert_eq!(site.writes(), []);
    }

    #[test]
    fn a_proposal_has_the_question_of_its_verb_and_the_view_comes_back() {
        let (site, home) = site();
        let mut terminal = Terminal::start(&site, home.path(), &["top"], &[]);
        terminal.sees("nothing is wrong");
        terminal.types("/production\r");
        terminal.sees("filter: production");
        terminal.types("+");
        terminal.asks("Go on? [y/N]:");
        assert!(!terminal.is_other_screen());
        terminal.sees("UpdateAutoScalingGroup");
        terminal.types("n\r");
        terminal.asks("ended with status 3: press a key");
        terminal.sees("declined, nothing was changed");
        terminal.types(" ");
        terminal.sees("SERVICES");
        terminal.sees("ended with status 3");
        assert!(terminal.is_other_screen());
        assert_eq!(site.changes("UpdateAutoScalingGroup"), 0);
        terminal.types("s");
        terminal.sees("PROPOSE production/gpu-default");
        terminal.types("1");
        terminal.sees("type a number of instances");
        terminal.types("5\r");
        terminal.asks("Go on? [y/N]:");
        terminal.sees("bpctl fleet scale production/gpu-default --desired 5");
        terminal.types("n\r");
        terminal.asks("ended with status 3: press a key");
        assert_eq!(site.writes().iter().filter(|(_, changed)| *changed).count(), 0);
        terminal.types(" ");
        terminal.sees("SERVICES");
        terminal.types("+");
        terminal.asks("Go on? [y/N]:");
        terminal.types("y\r");
        terminal.asks("ended with status 0: press a key");
        assert_eq!(site.changes("UpdateAutoScalingGroup"), 1);
        terminal.types(" ");
        terminal.sees("SERVICES");
        terminal.types("\x03");
        assert_eq!(terminal.ends(), Some(130));
    }

    #[test]
    fn sigterm_ends_it_with_the_terminal_restored_and_no_color_has_none() {
        let (site, home) = site();
        let mut terminal = Terminal::start(&site, home.path(), &["top"], &[("NO_COLOR", "1")]);
        terminal.sees("nothing is wrong");
        terminal.types("l");
        terminal.sees("bpctl logs backend --follow");
        terminal.signal("-TERM");
        assert_eq!(terminal.ends(), Some(130));
        // The same while a command has the terminal and asks.
        let mut asked = Terminal::start(&site, home.path(), &["top"], &[]);
        asked.sees("nothing is wrong");
        asked.types("/production\r+");
        asked.asks("Go on? [y/N]:");
        asked.signal("-TERM");
        assert_eq!(asked.ends(), Some(130));
        assert_eq!(site.changes("UpdateAutoScalingGroup"), 0);
        let bytes = terminal.bytes.lock().expect("no panic");
        let written = String::from_utf8_lossy(&bytes);
        assert!(!written.contains("\u{1b}[38;") && !written.contains("\u{1b}[48;"));
    }
}
