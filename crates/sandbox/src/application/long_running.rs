//! The long-running programs of the platform and what they log while they run.

use std::time::Duration;

use super::process::Progress;
use crate::options::Layout;
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::rds;
use crate::time::SimTime;
use crate::world::World;

/// A program that serves until it is stopped.
#[derive(Debug)]
pub(crate) struct Daemon {
    kind: Kind,
    /// When it next has something to say.
    next: SimTime,
    /// How often it spoke.
    turns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    PhpFpm,
    Scheduler,
    QueueWorker,
    Next,
}

/// What a program sees of the task it runs in.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Requests reach it through the load balancer.
    pub(crate) serves: bool,
    /// php-fpm runs as a server and accepts connections.
    pub(crate) php_listens: bool,
    /// The task's own address.
    pub(crate) ip: String,
}

impl Daemon {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            next: SimTime::default(),
            turns: 0,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn is_due(&self, now: SimTime) -> bool {
        self.next <= now
    }

    pub(crate) fn started(&mut self, at: SimTime) {
        self.next = at;
    }

    /// SIGTERM: nginx and php-fpm stop at once, a queue worker after its job, the scheduler is killed by it.
    pub(crate) fn terminated(&self) -> Option<(Duration, i32)> {
        match self.kind {
            Kind::Nginx | Kind::PhpFpm => Some((Duration::from_secs(1), 0)),
            Kind::QueueWorker => Some((Duration::from_secs(3), 0)),
            Kind::Scheduler | Kind::Next => Some((Duration::from_secs(1), 143)),
        }
    }

    /// Everything it has to say up to the present.
    pub(crate) fn run(&mut self, world: &mut World, around: &Surroundings, progress: &mut Progress) {
        while self.next <= world.now {
            let at = self.next;
            let lines = if self.turns == 0 {
                together(at, self.greeting(at))
            } else {
                self.turn(world, around, at)
            };
            progress.lines.extend(lines);
            self.turns += 1;
            self.next = at + self.pause(world, at);
        }
    }

    fn pause(&self, world: &mut World, at: SimTime) -> Duration {
        Duration::from_millis(match self.kind {
            Kind::Nginx => world.application_ids.between(6_000, 11_000),
            Kind::PhpFpm => world.application_ids.between(15_000, 25_000),
            Kind::QueueWorker => world.application_ids.between(20_000, 60_000),
            Kind::Next => world.application_ids.between(40_000, 90_000),
            // The scheduler wakes up at every full minute.
            Kind::Scheduler => (60_000 - at.0.rem_euclid(60_000)).unsigned_abs(),
        })
    }

    fn greeting(&self, at: SimTime) -> Vec<String> {
        match self.kind {
            Kind::Nginx => vec![
                "/docker-entrypoint.sh: Configuration complete; ready for start up".to_owned(),
                format!("{} [notice] 1#1: nginx/1.27.3", clock(at, "%Y/%m/%d %H:%M:%S")),
                format!(
                    "{} [notice] 1#1: start worker processes",
                    clock(at, "%Y/%m/%d %H:%M:%S")
                ),
            ],
            Kind::PhpFpm => {
                let stamp = clock(at, "%d-%b-%Y %H:%M:%S");
                vec![
                    format!("[{stamp}] NOTICE: fpm is running, pid 1"),
                    format!("[{stamp}] NOTICE: ready to handle connections"),
                ]
            }
            Kind::Scheduler => vec!["   INFO  Running scheduled tasks.".to_owned()],
            Kind::QueueWorker => {
                vec!["   INFO  Processing jobs from the [default] queue.".to_owned()]
            }
            Kind::Next => vec![
                "  ▲ Next.js 14.2.21".to_owned(),
                "  - Local:        http://localhost:3000".to_owned(),
                " ✓ Ready in 418ms".to_owned(),
            ],
        }
    }

    fn turn(&self, world: &mut World, around: &Surroundings, at: SimTime) -> Vec<(SimTime, String)> {
        let lines = match self.kind {
            Kind::QueueWorker => return self.queue_worker(world, at),
            Kind::Nginx => self.nginx(world, around, at),
            Kind::PhpFpm => self.php_fpm(world, around, at),
            Kind::Scheduler => scheduler(world, at),
            Kind::Next if around.serves => vec![" GET / 200 in 38ms".to_owned()],
            Kind::Next => Vec::new(),
        };
        together(at, lines)
    }

    /// Every third request is one of the load balancer's health checks.
    fn nginx(&self, world: &mut World, around: &Surroundings, at: SimTime) -> Vec<String> {
        let check = self.turns.is_multiple_of(3);
        if !around.serves {
            return Vec::new();
        }
        let routes = [
            ("GET", "/api/effects?page=1", 200, 5_312),
            ("GET", "/api/videos", 200, 8_745),
            ("POST", "/api/videos/uploads", 201, 1_204),
            ("POST", "/api/videos", 201, 911),
            ("GET", "/api/user", 200, 403),
        ];
        let pick = world.application_ids.between(0, routes.len() as u64 - 1) as usize;
        let (method, path, good, bytes) = if check {
            ("GET", "/up", 200, 1_862)
        } else {
            routes[pick]
        };
        let client = format!(
            "10.0.{}.{}",
            world.application_ids.between(0, 1),
            17 + self.turns % 2 * 52
        );
        let agent = if check {
            "ELB-HealthChecker/2.0"
        } else {
            "Mozilla/5.0 (X11; Linux x86_64)"
        };
        let mut lines = Vec::new();
        let (status, bytes) = if !around.php_listens {
            lines.push(format!(
                "{} [error] 29#29: *{} connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: _, request: \"{method} {path} HTTP/1.1\", upstream: \"fastcgi://127.0.0.1:9000\", host: \"{}\"",
                clock(at, "%Y/%m/%d %H:%M:%S"),
                1000 + self.turns,
                around.ip,
            ));
            (502, 157)
        } else if !check && (database_is_out(world) || in_force(world, Scenario::Alb5xx) && pick > 1) {
            (500, 6_603)
        } else {
            (good, bytes)
        };
        lines.push(format!(
            "{client} - - [{}] \"{method} {path} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"",
            clock(at, "%d/%b/%Y:%H:%M:%S +0000"),
        ));
        lines
    }

    fn php_fpm(&self, world: &mut World, around: &Surroundings, at: SimTime) -> Vec<String> {
        if !around.serves || !around.php_listens {
            return Vec::new();
        }
        let stamp = clock(at, "%Y-%m-%d %H:%M:%S");
        if database_is_out(world) {
            return vec![format!(
                "[{stamp}] {}.ERROR: SQLSTATE[HY000] [2002] Connection refused (Connection: central, SQL: select * from `tenants` where `domain` = app limit 1) {{\"exception\":\"[object] (Illuminate\\\\Database\\\\QueryException(code: 2002): SQLSTATE[HY000] [2002] Connection refused at /var/www/html/vendor/laravel/framework/src/Illuminate/Database/Connection.php:829)\"}}",
                environment(world),
            )];
        }
        if in_force(world, Scenario::Alb5xx) && !self.turns.is_multiple_of(3) {
            return vec![
                format!("[{stamp}] {}.ERROR: Undefined property: stdClass::$credits {{\"userId\":{},\"exception\":\"[object] (ErrorException(code: 0): Undefined property: stdClass::$credits at /var/www/html/app/Http/Controllers/VideoController.php:142)", environment(world), 100 + self.turns % 900),
                "[stacktrace]".to_owned(),
                "#0 /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/Bootstrap/HandleExceptions.php(256): Illuminate\\Foundation\\Bootstrap\\HandleExceptions->handleError()".to_owned(),
                "#1 /var/www/html/app/Http/Controllers/VideoController.php(142): App\\Http\\Controllers\\VideoController->store()".to_owned(),
            ];
        }
        vec![format!(
            "127.0.0.1 -  {} \"GET /index.php\" 200",
            clock(at, "%d/%b/%Y:%H:%M:%S +0000")
        )]
    }

    /// A job is told of when it starts and when it is over, which is the moment `at`.
    fn queue_worker(&self, world: &mut World, at: SimTime) -> Vec<(SimTime, String)> {
        if database_is_out(world) {
            return together(
                at,
                vec![
                    "In Connection.php line 829:".to_owned(),
                    "  SQLSTATE[HY000] [2002] Connection refused (Connection: central, SQL: select * from `jobs` where `queue` = default)".to_owned(),
                ],
            );
        }
        let job = [
            "App\\Jobs\\DispatchAiJob",
            "App\\Jobs\\FinalizeVideo",
            "App\\Jobs\\NotifyUser",
        ][world.application_ids.between(0, 2) as usize];
        let times_out = in_force(world, Scenario::NatExhausted) && self.turns.is_multiple_of(2);
        let milliseconds = if times_out {
            10_003
        } else {
            world.application_ids.between(60, 900)
        };
        let began = at - Duration::from_millis(milliseconds);
        let dots = ".".repeat(20);
        let line = |when: SimTime, outcome: &str| {
            let stamp = clock(when, "%Y-%m-%d %H:%M:%S");
            (when, format!("  {stamp} {job} {dots} {outcome}"))
        };
        if !times_out {
            return vec![
                line(began, "RUNNING"),
                line(at, &format!("{milliseconds}ms DONE")),
            ];
        }
        let error = format!(
            "[{}] {}.ERROR: cURL error 28: Connection timed out after 10001 milliseconds (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for https://oauth2.googleapis.com/token {{\"exception\":\"[object] (GuzzleHttp\\\\Exception\\\\ConnectException(code: 0))\"}}",
            clock(at, "%Y-%m-%d %H:%M:%S"),
            environment(world),
        );
        vec![line(began, "RUNNING"), (at, error), line(at, "10s FAIL")]
    }
}

/// The name of the environment, with which Laravel's log lines begin.
fn environment(world: &World) -> &str {
    match world.options.layout {
        Layout::Single => "production",
        Layout::Staged => &world.options.stage,
    }
}

/// Lines that are written at the same moment.
fn together(at: SimTime, lines: Vec<String>) -> Vec<(SimTime, String)> {
    lines.into_iter().map(|line| (at, line)).collect()
}

fn scheduler(world: &mut World, at: SimTime) -> Vec<String> {
    let outcome = if database_is_out(world) { "FAIL" } else { "DONE" };
    vec![format!(
        "  {} Running ['artisan' workers:publish-metrics] {} {}ms {outcome}",
        clock(at, "%Y-%m-%d %H:%M:%S"),
        ".".repeat(12),
        world.application_ids.between(210, 640),
    )]
}

fn database_is_out(world: &World) -> bool {
    !rds::database::accepts_connections(world)
}

/// Formats an instant in UTC.
fn clock(at: SimTime, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|timestamp| timestamp.strftime(format).to_string())
        .unwrap_or_default()
}
