//! The programs of a container that a session can run: a few of the usual ones, `artisan`, and a shell to type them in.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::place::Place;
use super::terminal::{HungUp, Terminal};
use crate::application::artisan_commands::Application;
use crate::application::command_line::{Clause, Connector, script};
use crate::application::long_running::Surroundings;
use crate::application::process::{Process, Script};
use crate::options::Layout;
use crate::sandbox::Sandbox;

/// How often a program of the application is looked at, in the machine's time.
const LOOK: Duration = Duration::from_millis(20);

/// 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// What a running shell knows.
pub(super) struct Shell {
    sandbox: Sandbox,
    place: Place,
    status: i32,
}

/// What the commands of a line came to.
enum Flow {
    Next(i32),
    /// `exit`.
    Leave(i32),
}

impl Shell {
    pub(super) fn new(sandbox: Sandbox, place: Place) -> Self {
        Self {
            sandbox,
            place,
            status: 0,
        }
    }

    /// Runs one program with its arguments.
    pub(super) async fn execute(&mut self, words: &[String], terminal: &mut Terminal) -> Result<i32, HungUp> {
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        let name = texts
            .first()
            .map_or("", |path| path.rsplit('/').next().unwrap_or(path));
        match (name, texts.get(1..).unwrap_or_default()) {
            ("sh" | "bash" | "dash" | "ash", [flags, text, ..]) if is_command_flag(flags) => {
                Ok(match self.script(text, terminal).await? {
                    Flow::Next(status) | Flow::Leave(status) => status,
                })
            }
            ("sh" | "bash" | "dash" | "ash", _) => self.interact(name, terminal).await,
            ("cat", []) => self.copy(terminal).await,
            ("cat", files) => self.show(files, terminal).await,
            ("wc", ["-c"]) => {
                let bytes = self.drain(terminal).await?;
                terminal.out(format!("{}\n", bytes.len()).as_bytes()).await?;
                Ok(0)
            }
            ("sha256sum", []) => {
                let bytes = self.drain(terminal).await?;
                let digest: String = Sha256::digest(&bytes)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                terminal.out(format!("{digest}  -\n").as_bytes()).await?;
                Ok(0)
            }
            ("head", ["-c", count, "/dev/urandom"]) => {
                let bytes: Vec<u8> = (0..count.parse().unwrap_or(0_usize))
                    .map(|place| (place * 7 + place / 256) as u8)
                    .collect();
                terminal.out(&bytes).await?;
                Ok(0)
            }
            ("seq", [last]) => {
                let lines: String = (1..=last.parse().unwrap_or(0_u32))
                    .map(|number| format!("{number}\n"))
                    .collect();
                terminal.out(lines.as_bytes()).await?;
                Ok(0)
            }
            ("stty", ["size"]) if terminal.is_terminal() => {
                let size = format!("{} {}\n", terminal.rows, terminal.cols);
                terminal.out(size.as_bytes()).await?;
                Ok(0)
            }
            ("stty", _) if !terminal.is_terminal() => {
                terminal
                    .err(b"stty: 'standard input': Inappropriate ioctl for device\n")
                    .await?;
                Ok(1)
            }
            ("tty", []) => {
                let (text, status): (&[u8], i32) = if terminal.is_terminal() {
                    (b"/dev/pts/0\n", 0)
                } else {
                    (b"not a tty\n", 1)
                };
                terminal.out(text).await?;
                Ok(status)
            }
            ("vi" | "vim", arguments) => {
                self.edit(arguments.first().copied().unwrap_or(""), terminal)
                    .await
            }
            ("php", ["artisan", "tinker", ..]) => self.tinker(terminal).await,
            ("pwd" | "whoami" | "id" | "hostname" | "env" | "printenv" | "ls" | "uname", arguments) => {
                let text = self.told(name, arguments);
                terminal.out(text.as_bytes()).await?;
                Ok(0)
            }
            _ => self.application(words, terminal).await,
        }
    }

    fn told(&self, name: &str, arguments: &[&str]) -> String {
        self.sandbox.with_world(|world| match name {
            "pwd" => "/var/www/html\n".to_owned(),
            "whoami" => "root\n".to_owned(),
            "id" => "uid=0(root) gid=0(root) groups=0(root)\n".to_owned(),
            "hostname" => format!(
                "ip-{}.ec2.internal\n",
                self.place.address(world).replace('.', "-")
            ),
            "ls" => {
                "app  artisan  bootstrap  composer.json  config  database  public  routes  storage  vendor\n"
                    .to_owned()
            }
            "uname" => if arguments == ["-m"] {
                "aarch64\n"
            } else {
                "Linux\n"
            }
            .to_owned(),
            _ => {
                let defined = self.place.defined(world);
                let environment = defined
                    .map(|known| known.environment.as_slice())
                    .unwrap_or_default();
                environment
                    .iter()
                    .filter(|(name, _)| arguments.first().is_none_or(|wanted| wanted == name))
                    .map(|(name, value)| {
                        if arguments.is_empty() {
                            format!("{name}={value}\n")
                        } else {
                            format!("{value}\n")
                        }
                    })
                    .collect()
            }
        })
    }

    /// Everything on standard input, to its end.
    async fn drain(&mut self, terminal: &mut Terminal) -> Result<Vec<u8>, HungUp> {
        let mut all = Vec::new();
        while let Some(bytes) = terminal.read().await? {
            all.extend(bytes);
            if terminal.take_interrupt() {
                break;
            }
        }
        Ok(all)
    }

    async fn copy(&mut self, terminal: &mut Terminal) -> Result<i32, HungUp> {
        while let Some(bytes) = terminal.read().await? {
            if terminal.take_interrupt() {
                return Ok(INTERRUPTED);
            }
            terminal.out(&bytes).await?;
        }
        Ok(0)
    }

    async fn show(&mut self, files: &[&str], terminal: &mut Terminal) -> Result<i32, HungUp> {
        let mut status = 0;
        for file in files {
            match *file {
                "/etc/os-release" => {
                    terminal
                        .out(b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n")
                        .await?;
                }
                missing => {
                    status = 1;
                    terminal
                        .err(format!("cat: {missing}: No such file or directory\n").as_bytes())
                        .await?;
                }
            }
        }
        Ok(status)
    }

    /// The commands of a script or line, one after another.
    async fn script(&mut self, text: &str, terminal: &mut Terminal) -> Result<Flow, HungUp> {
        for clause in script(text, "/bin/sh") {
            let runs = match clause.connector {
                Connector::Always => true,
                Connector::And => self.status == 0,
                Connector::Or => self.status != 0,
            };
            if !runs {
                continue;
            }
            let (mut words, to_stderr) = redirected(clause.words);
            for word in &mut words {
                *word = word.replace("$?", &self.status.to_string());
            }
            self.status = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["exit"] => return Ok(Flow::Leave(self.status)),
                ["exit", status] => return Ok(Flow::Leave(status.parse().unwrap_or(2) & 0xff)),
                ["echo", rest @ ..] => {
                    let line = format!("{}\n", rest.join(" "));
                    if to_stderr {
                        terminal.err(line.as_bytes()).await?;
                    } else {
                        terminal.out(line.as_bytes()).await?;
                    }
                    0
                }
                ["cd", ..] | [] => 0,
                _ => Box::pin(self.execute(&words, terminal)).await?,
            };
            if self.status == INTERRUPTED && terminal.is_terminal() {
                break;
            }
        }
        Ok(Flow::Next(self.status))
    }

    /// Lines that are typed, until `exit` or the end of input.
    async fn interact(&mut self, name: &str, terminal: &mut Terminal) -> Result<i32, HungUp> {
        let prompt = match name {
            "bash" => {
                let host = self.told("hostname", &[]);
                let host = host.split('.').next().unwrap_or_default();
                format!("root@{host}:/var/www/html# ")
            }
            _ => "# ".to_owned(),
        };
        loop {
            if terminal.is_terminal() {
                terminal.raw(prompt.clone()).await?;
            }
            let line = terminal.read_line().await?;
            if terminal.take_interrupt() {
                self.status = INTERRUPTED;
                continue;
            }
            let Some(line) = line else {
                if terminal.is_terminal() {
                    terminal.raw("exit\r\n").await?;
                }
                return Ok(self.status);
            };
            if let Flow::Leave(status) = self.script(&String::from_utf8_lossy(&line), terminal).await? {
                if terminal.is_terminal() && name == "bash" {
                    terminal.raw("exit\r\n").await?;
                }
                return Ok(status);
            }
        }
    }

    /// A command that the application's containers run for one-off tasks as well.
    async fn application(&mut self, words: &[String], terminal: &mut Terminal) -> Result<i32, HungUp> {
        let clause = Clause {
            connector: Connector::Always,
            words: words.to_vec(),
            shell: "/bin/sh",
        };
        let (mut process, surroundings) = self.sandbox.with_world(|world| {
            let environment = self.place.defined(world).map(|known| known.environment.clone());
            let production = ("APP_ENV".to_owned(), "production".to_owned());
            let application = Application {
                production: environment.is_some_and(|known| known.contains(&production)),
                older: world.options.layout == Layout::Staged,
                ..Application::default()
            };
            let surroundings = Surroundings {
                serves: false,
                php_listens: true,
                ip: self.place.address(world),
            };
            (
                Process::Script(Script::new(vec![clause], world.now, application)),
                surroundings,
            )
        });
        loop {
            let progress = self.sandbox.with_world(|world| process.run(world, &surroundings));
            for (_, line) in progress.lines {
                let line = format!("{line}\n");
                // The shell's own complaints go to standard error.
                if line.starts_with("/bin/sh: ") {
                    terminal.err(line.as_bytes()).await?;
                } else {
                    terminal.out(line.as_bytes()).await?;
                }
            }
            if let Some((_, status)) = progress.exit {
                return Ok(status);
            }
            terminal.wait(LOOK).await?;
            if terminal.take_interrupt() {
                return Ok(INTERRUPTED);
            }
        }
    }

    /// PsySH: sums and texts, until `exit` or the end of input.
    async fn tinker(&mut self, terminal: &mut Terminal) -> Result<i32, HungUp> {
        terminal
            .out("Psy Shell v0.12.4 (PHP 8.3.15 — cli) by Justin Hileman\n".as_bytes())
            .await?;
        loop {
            if terminal.is_terminal() {
                terminal.raw("> ").await?;
            }
            let line = terminal.read_line().await?;
            if terminal.take_interrupt() {
                continue;
            }
            let Some(line) = line else {
                terminal.out("\n   INFO  Goodbye.\n".as_bytes()).await?;
                return Ok(0);
            };
            let line = String::from_utf8_lossy(&line);
            let answer = match line.trim().trim_end_matches(';') {
                "" => continue,
                "exit" | "quit" | "q" => {
                    terminal.out("\n   INFO  Goodbye.\n".as_bytes()).await?;
                    return Ok(0);
                }
                "User::count()" => "= 128".to_owned(),
                sum => match sum.split_once('+') {
                    Some((left, right)) => match (left.trim().parse::<i64>(), right.trim().parse::<i64>()) {
                        (Ok(left), Ok(right)) => format!("= {}", left.wrapping_add(right)),
                        _ => format!("   Error  Undefined constant \"{}\".", left.trim()),
                    },
                    None => format!("   Error  Undefined constant \"{sum}\"."),
                },
            };
            terminal.out(format!("{answer}\n\n").as_bytes()).await?;
        }
    }

    /// A program that draws on the whole screen and reads keys: of `vi` only `:q`, `i` and Escape.
    async fn edit(&mut self, file: &str, terminal: &mut Terminal) -> Result<i32, HungUp> {
        if !terminal.is_terminal() {
            terminal
                .err(b"Vim: Warning: Output is not to a terminal\n")
                .await?;
            return Ok(1);
        }
        terminal.by_key(true);
        let mut text = String::new();
        let mut inserting = false;
        let mut command: Option<String> = None;
        loop {
            let mut screen = format!("\x1b[?1049h\x1b[2J\x1b[H{text}\r\n");
            for _ in 2..terminal.rows {
                screen.push_str("~\r\n");
            }
            screen.push_str(&match (&command, inserting) {
                (Some(command), _) => format!(":{command}"),
                (None, true) => "-- INSERT --".to_owned(),
                (None, false) => format!("\"{file}\" {}x{}", terminal.cols, terminal.rows),
            });
            terminal.raw(screen).await?;
            let key = terminal.read_key().await?;
            match (&mut command, key) {
                (Some(typed), b'\r') if typed.starts_with('q') || typed.starts_with("wq") => break,
                (Some(_), b'\r' | 0x1b) => command = None,
                (Some(typed), key) => typed.push(char::from(key)),
                (None, 0x1b) => inserting = false,
                (None, key) if inserting => text.push(char::from(key)),
                (None, b'i') => inserting = true,
                (None, b':') => command = Some(String::new()),
                (None, _) => {}
            }
        }
        terminal.raw("\x1b[?1049l").await?;
        terminal.by_key(false);
        Ok(0)
    }
}

fn is_command_flag(flags: &str) -> bool {
    flags.starts_with('-') && flags.ends_with('c')
}

/// The words without `>&2`, and whether it was there.
fn redirected(mut words: Vec<String>) -> (Vec<String>, bool) {
    let before = words.len();
    words.retain(|word| word != ">&2" && word != "1>&2");
    let there = words.len() < before;
    (words, there)
}
