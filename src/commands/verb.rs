//! [`Verb`]: what a verb says of itself, beside its arguments, so that nothing else need know it.

use crate::change::{ChangeArgs, Direction, RunId};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// A command of bpctl: its arguments are the type, their doc comment is the help.
pub(crate) trait Verb: clap::Args {
    /// What must be there before the verb runs.
    fn needs(&self) -> Needs;

    /// What the verb asks of AWS: the actions of IAM behind its calls, and what they are on.
    fn uses() -> Uses {
        Uses::Nothing
    }

    /// The earlier run that the verb goes on with or takes back. The dispatcher runs that run's own verb then.
    fn continues(&self) -> Option<Continuation> {
        None
    }

    /// Does it.
    ///
    /// # Errors
    /// Whatever keeps it from being done; shown to the operator, and the exit status comes from it.
    async fn run(self, ctx: &Ctx) -> Result<ExitStatus>;
}

/// An earlier run and what to do about it.
#[derive(Clone, Debug)]
pub(crate) struct Continuation {
    pub(crate) direction: Direction,
    pub(crate) run: RunId,
    /// The flags of the new command line.
    pub(crate) change: ChangeArgs,
}

/// What must be there before a verb runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// AWS is asked: the context `sandbox` must have a running sandbox.
    pub(crate) aws: bool,
    pub(crate) configuration: Configuration,
    /// Ctrl-C is the business of the verb itself.
    pub(crate) own_interrupts: bool,
    /// Ctrl-C is how the verb ends: nothing is said about it.
    pub(crate) ends_by_interrupt: bool,
    /// The verb finds mistakes itself: not even a configuration file that cannot be read stops it.
    pub(crate) diagnoses: bool,
    /// The verb has lines that can be shown as they were written.
    pub(crate) raw_lines: bool,
}

/// What a verb wants of `bpctl.toml` and of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Configuration {
    /// Without mistakes.
    Sound,
    /// The verb shows or mends the configuration: mistakes are warned of.
    EvenBroken,
    /// The verb only talks about bpctl itself: the file is not looked for, mistakes are not mentioned.
    Unread,
}

impl Needs {
    /// Talks to AWS. The account guard comes with every client: no verb need ask for it.
    pub(crate) const AWS: Self = Self {
        aws: true,
        ..Self::SETTINGS
    };

    /// Needs to know the settings, and no AWS.
    pub(crate) const SETTINGS: Self = Self {
        aws: false,
        configuration: Configuration::Sound,
        own_interrupts: false,
        ends_by_interrupt: false,
        diagnoses: false,
        raw_lines: false,
    };

    /// Works anywhere.
    pub(crate) const NOTHING: Self = Self {
        configuration: Configuration::Unread,
        ..Self::SETTINGS
    };

    /// The same with settings that may make no sense.
    pub(crate) const fn even_broken(self) -> Self {
        Self {
            configuration: Configuration::EvenBroken,
            ..self
        }
    }

    /// The same with interrupts of its own.
    pub(crate) const fn own_interrupts(self) -> Self {
        Self {
            own_interrupts: true,
            ..self
        }
    }

    /// AWS for what is live, the settings alone for a file.
    pub(crate) const fn aws_if(live: bool) -> Self {
        if live { Self::AWS } else { Self::SETTINGS }
    }
}

/// A variant as it is typed: `ScaleToZero` is `scale-to-zero`.
pub(crate) fn word(variant: &str) -> String {
    let mut word = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

/// Declares a list of verbs: the enum that clap parses, and one match for what they need and one that runs them.
///
/// Every verb's future goes to the heap here, in one place: the futures of SDK calls are large, and those of
/// all verbs in one match would add up on the stack.
macro_rules! verbs {
    ($(#[$of_list:meta])* $visible:vis enum $list:ident {
        $($(#[$of_verb:meta])* $verb:ident($args:ty),)+
    }) => {
        $(#[$of_list])*
        #[derive(Debug, clap::Subcommand)]
        $visible enum $list {
            $($(#[$of_verb])* $verb($args),)+
        }

        impl $list {
            /// What each verb asks of AWS, by its word.
            $visible fn uses() -> Vec<(String, $crate::iam::Uses)> {
                vec![$((
                    $crate::commands::verb::word(stringify!($verb)),
                    <$args as $crate::commands::verb::Verb>::uses(),
                ),)+]
            }

            /// What must be there before the chosen verb runs.
            $visible fn needs(&self) -> $crate::commands::verb::Needs {
                match self {
                    $(Self::$verb(args) => $crate::commands::verb::Verb::needs(args),)+
                }
            }

            /// The earlier run that the chosen verb is about.
            $visible fn continues(&self) -> Option<$crate::commands::verb::Continuation> {
                match self {
                    $(Self::$verb(args) => $crate::commands::verb::Verb::continues(args),)+
                }
            }

            /// Runs the chosen verb.
            $visible fn run(
                self,
                ctx: &$crate::context::Ctx,
            ) -> futures::future::LocalBoxFuture<'_, $crate::error::Result<$crate::exit::ExitStatus>> {
                match self {
                    $(Self::$verb(args) => Box::pin($crate::commands::verb::Verb::run(args, ctx)),)+
                }
            }
        }
    };
}

pub(crate) use verbs;
