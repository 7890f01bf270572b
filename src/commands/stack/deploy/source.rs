//! Which templates are meant, and why: those of the CDK app or of an assembly, or those that bpctl makes itself.

use std::path::PathBuf;

use super::SourceArgs;
use super::synth::{self, Context, Place};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::layout::Layout;
use crate::settings::Source as Origin;
use crate::stacks::{Assembly, Blueprint, Environment};

/// Where templates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Source {
    /// A cloud assembly that is there already.
    Assembly(PathBuf),
    /// The CDK app, and who names its folder.
    App(PathBuf, Origin),
    /// A file of settings for the templates that bpctl makes itself.
    File(PathBuf),
    /// The same settings in `bpctl.toml`, and where they stand.
    Section(String),
    /// The same templates with their defaults.
    Defaults,
}

/// What the templates are to be like.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Wanted<'a> {
    /// Values of the app's context.
    pub(in crate::commands) context: &'a Context,
    /// A log group of workers that is there, and that no stack of theirs has made.
    pub(in crate::commands) log_group: Option<&'a str>,
}

impl<'a> From<&'a Context> for Wanted<'a> {
    fn from(context: &'a Context) -> Self {
        Self {
            context,
            log_group: None,
        }
    }
}

/// The templates, and what a plan says of where they come from.
#[derive(Debug)]
pub(in crate::commands) struct Templates {
    pub(in crate::commands) assembly: Assembly,
    pub(in crate::commands) facts: Vec<String>,
}

impl Source {
    /// Flags first, then the app that the context names, then the settings in `bpctl.toml`.
    pub(in crate::commands) fn of(ctx: &Ctx, args: &SourceArgs) -> Self {
        if let Some(folder) = &args.assembly {
            return Self::Assembly(folder.clone());
        }
        if let Some(file) = &args.blueprint {
            return Self::File(file.clone());
        }
        if let Some(folder) = &ctx.settings.infra_dir {
            return Self::App(folder.value.clone(), folder.source.clone());
        }
        Self::own(ctx)
    }

    /// That of the context, without a flag.
    pub(in crate::commands) fn in_context(ctx: &Ctx) -> Self {
        Self::of(
            ctx,
            &SourceArgs {
                assembly: None,
                blueprint: None,
                upstream_compatible: false,
                values: Vec::new(),
            },
        )
    }

    /// The templates that bpctl makes itself, without a flag.
    pub(in crate::commands) fn own(ctx: &Ctx) -> Self {
        match section(ctx) {
            Some((_, place)) => Self::Section(place),
            None => Self::Defaults,
        }
    }

    /// Whether bpctl makes the templates itself.
    pub(in crate::commands) fn is_built_in(&self) -> bool {
        match self {
            Self::Assembly(_) | Self::App(..) => false,
            Self::File(_) | Self::Section(_) | Self::Defaults => true,
        }
    }

    /// Which templates, and why these.
    fn told(&self) -> String {
        match self {
            Self::Assembly(folder) => {
                format!("templates: the assembly `{}`, by --assembly", folder.display())
            }
            Self::App(folder, origin) => format!(
                "templates: the CDK app in `{}`, by `infra_dir` ({origin})",
                folder.display()
            ),
            Self::File(file) => format!(
                "templates: bpctl's own, with the settings in `{}`, by --blueprint",
                file.display()
            ),
            Self::Section(place) => {
                format!("templates: bpctl's own, with `[blueprint]` of {place}; `infra_dir` is not set")
            }
            Self::Defaults => {
                "templates: bpctl's own, as they are: neither `infra_dir` nor `[blueprint]` is set".to_owned()
            }
        }
    }

    /// What the templates that bpctl makes itself are made from.
    ///
    /// # Errors
    /// Settings that are wrong, or for another place, layout or stage.
    pub(in crate::commands) fn blueprint(
        &self,
        ctx: &Ctx,
        layout: &Layout,
        here: Environment<'_>,
        context: &Context,
    ) -> Result<Blueprint> {
        match self {
            Self::File(file) => Blueprint::read(&ctx.cwd.join(file), here, layout, context),
            Self::Section(place) => {
                let table = section(ctx).map(|(table, _)| table).unwrap_or_default();
                Blueprint::of(place, table, here, layout, context)
            }
            Self::Assembly(_) | Self::App(..) | Self::Defaults => {
                Blueprint::of("the built-in settings", toml::Table::new(), here, layout, context)
            }
        }
    }
}

/// `[blueprint]` of `bpctl.toml` for the context in force, and where it stands.
fn section(ctx: &Ctx) -> Option<(toml::Table, String)> {
    ctx.config.as_ref()?.blueprint_of(&ctx.settings.context.value)
}

/// The templates with the values of `context`.
///
/// # Errors
/// There is no app, it fails, its assembly is none for this account, or the settings are wrong.
pub(in crate::commands) async fn templates(
    ctx: &Ctx,
    layout: &Layout,
    place: Place<'_>,
    args: &SourceArgs,
    wanted: Wanted<'_>,
) -> Result<Templates> {
    let context = wanted.context;
    let here = Environment {
        partition: crate::settings::partition(place.region).unwrap_or("aws"),
        account: place.account,
        region: place.region,
    };
    let source = Source::of(ctx, args);
    let mut facts = vec![source.told()];
    let assembly = match &source {
        Source::Assembly(folder) => Assembly::read(&ctx.cwd.join(folder), here)?,
        Source::App(..) if args.upstream_compatible => {
            return Err(CtlError::usage(
                "make the templates: `--upstream-compatible` is for the templates that bpctl makes itself",
            )
            .hint("leave it out: the CDK app makes the platform's own choices"));
        }
        Source::App(..) => synth::app(ctx, place, here, context).await?,
        Source::File(_) | Source::Section(_) | Source::Defaults => {
            let mut blueprint = source.blueprint(ctx, layout, here, context)?;
            facts.push(blueprint.told());
            if args.upstream_compatible {
                blueprint = blueprint.upstream_compatible();
                facts.push("the platform's own choices, by --upstream-compatible".to_owned());
            }
            if let Some(group) = wanted.log_group {
                blueprint = blueprint.beside_log_group(group);
                facts.push(format!(
                    "{group} is there already: the stack of the fleet leaves it as it is and writes to it"
                ));
            }
            blueprint.assembly()?
        }
    };
    Ok(Templates { assembly, facts })
}
