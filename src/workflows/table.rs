//! The ten workflows, and what each of them needs.

use crate::layout::Stage;

/// One of the platform's workflows.
#[derive(Debug)]
pub(crate) struct Workflow {
    /// Its file without `.yml`.
    pub(crate) name: &'static str,
    /// The text for the layout `single` in us-east-1.
    pub(super) text: &'static str,
    /// What follows the stage in the name of its environment, e.g. `migrations`; jobs without one run as their branch.
    gate: Option<&'static str>,
    /// What it runs, as `iam policy --for` takes it.
    pub(crate) verbs: &'static [&'static str],
    /// What its role needs besides, which no verb can tell.
    pub(crate) beyond: Option<&'static str>,
}

macro_rules! workflows {
    ($($name:literal, $gate:expr, [$($verb:literal),+] $(, beyond $beyond:literal)?;)+) => {
        /// All of them, in the order in which a new platform needs them.
        pub(crate) const WORKFLOWS: &[Workflow] = &[$(Workflow {
            name: $name,
            text: include_str!(concat!("../../examples/workflows/", $name, ".yml")),
            gate: $gate,
            verbs: &[$($verb),+],
            beyond: workflows!(@ $($beyond)?),
        },)+];
    };
    (@) => { None };
    (@ $beyond:literal) => { Some($beyond) };
}

workflows! {
    "deploy-infrastructure", Some("infra"), ["stack diff", "stack deploy"], beyond "what CloudFormation needs to make the stacks";
    "deploy", None, ["image push", "deploy", "triage"];
    "db-migrate", Some("migrations"), ["migrate", "triage"];
    "db-seed", Some("migrations"), ["seed"];
    "provision-gpu-fleet", Some("gpu-provision"), ["fleet provision"], beyond "what CloudFormation needs to make the stack";
    "apply-gpu-fleet-config", Some("gpu-provision"), ["fleet apply-config"], beyond "what CloudFormation needs to change the stack";
    "build-ami", None, ["ami build --promote --refresh"], beyond "what packer needs";
    "bake-ami", None, ["ami bake --promote --refresh"];
    "create-dev-gpu-instance", None, ["fleet dev launch"];
    "apply-comfyui-bundle", None, ["bundle apply"];
}

impl Workflow {
    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}.yml", self.name)
    }

    /// The environment of GitHub that approves its runs.
    pub(crate) fn environment(&self, stage: Stage) -> Option<String> {
        self.gate.map(|gate| format!("{stage}-{gate}"))
    }

    /// The claim `sub` of its jobs (GitHub's documentation, "OpenID Connect reference").
    pub(crate) fn subject(&self, repository: &str, stage: Stage, branch: &str) -> String {
        match self.environment(stage) {
            Some(environment) => format!("repo:{repository}:environment:{environment}"),
            None => format!("repo:{repository}:ref:refs/heads/{branch}"),
        }
    }

    /// The secrets with the ARN of its role, the one of its own first.
    pub(crate) fn role_secrets(&self, stage: Stage) -> Vec<String> {
        let common = format!("AWS_DEPLOY_ROLE_ARN_{}", stage.as_str().to_ascii_uppercase());
        let mut named: Vec<String> = super::named(self.text, "secrets")
            .into_iter()
            .filter(|name| name.starts_with(&common))
            .collect();
        named.sort_by_key(|name| std::cmp::Reverse(name.len()));
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_says_stands_in_the_texts() {
        for workflow in WORKFLOWS {
            let text = workflow.text;
            match workflow.gate {
                Some(gate) => assert!(text.contains(&format!("stage }}}}-{gate}\n")), "{text}"),
                None => assert!(!text.contains("\n    environment: "), "{text}"),
            }
            for verb in workflow.verbs {
                let words = verb.split(" --").next().unwrap_or_default();
                assert!(text.contains(&format!("bpctl {words} ")), "{verb}\n{text}");
            }
            for stage in Stage::ALL {
                let secrets = workflow.role_secrets(stage);
                assert!((1..=2).contains(&secrets.len()), "{secrets:?}");
                assert_eq!(secrets.len() == 2, workflow.gate.is_none(), "{secrets:?}");
            }
        }
    }

    #[test]
    fn subjects_are_those_of_environments_and_branches() {
        let of = |name: &str| {
            let found = WORKFLOWS.iter().find(|workflow| workflow.name == name);
            found
                .expect("a workflow")
                .subject("acme/platform", Stage::Production, "main")
        };
        assert_eq!(
            of("db-seed"),
            "repo:acme/platform:environment:production-migrations"
        );
        assert_eq!(of("deploy"), "repo:acme/platform:ref:refs/heads/main");
    }
}
